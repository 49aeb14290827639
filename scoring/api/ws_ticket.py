"""POST /ws-ticket: what opens one socket, for who can show no key there."""

from datetime import timedelta
from typing import Annotated

from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request

from perf.realtime.tickets import LIFETIME_S, issue_ticket
from riskplatform.api.endpoints import Router
from riskplatform.api.keys.access import READ_REGIONS
from riskplatform.api.keys.holders import holder_of_request
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_right, has_scope
from riskplatform.kernel.instants import AwareTime

router = Router()
# Whatever a socket asks for is checked there, against the same key or person.
HOLDERS = (
    has_right(READ_REGIONS)
    | has_scope(Scope.PORTFOLIOS_READ)
    | has_scope(Scope.MODELS_WRITE)
)


class Ticket(Struct):
    ticket: Annotated[
        str, Meta(description="Goes into the address of a socket, as ?ticket=…")
    ]
    expires_at: AwareTime


@router.post("ws-ticket", HOLDERS, status=201, problems=(503,))
def ws_ticket(request: Request) -> Ticket:
    """Make a ticket that opens one socket within 30 seconds.

    The socket may do what the key or person may that asked, and ends with it.
    """
    ticket = issue_ticket(holder_of_request(request))
    return Ticket(ticket, timezone.now() + timedelta(seconds=LIFETIME_S))
