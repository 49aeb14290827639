"""Ships what waits: claims a shipment, delivers it, and notes the outcome.

A shipment is tried until it is there. Whoever dies on the way leaves a lease that
runs out; the next attempt sends the same rows under the same token.
"""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from django.db import Error, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from analytics.inbox.backlog import measure_backlog
from analytics.metrics import SHIPPED_EVENTS, SHIPPING_FAILURES
from analytics.models import ParkedEvent, Shipment
from analytics.shipping.delivery import Parked, deliver, insert_once
from analytics.shipping.forming import LINGER, form_shipments
from analytics.shipping.rows import read_rows
from riskplatform.kernel.errors import UnavailableError
from riskplatform.kernel.heartbeat import heartbeat

LEASE = timedelta(seconds=60)
FIRST_DELAY_S = 0.5
MAX_DELAY_S = 60.0
MAX_REASON_CHARS = 300
# An insert and what is written down about it take less, or they hang.
INSERT_LIMIT_S = 150.0

logger = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """Another process took a shipment over, because this one was too slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingReport:
    shipment_count: int = 0
    event_count: int = 0
    parked_count: int = 0
    has_failed: bool = False


def ship_due(*, linger: timedelta = LINGER) -> ShippingReport:
    """Ship what is due, one shipment after the other, up to the first failure."""
    form_shipments(linger=linger)
    shipment_count = event_count = parked_count = 0
    has_failed = False
    while not has_failed and (shipment := _claim_next()) is not None:
        parked = _attempt(shipment)
        has_failed = parked is None
        if parked is not None:
            shipment_count += 1
            event_count += shipment.row_count - len(parked)
            parked_count += len(parked)
    measure_backlog()
    return ShippingReport(
        shipment_count=shipment_count,
        event_count=event_count,
        parked_count=parked_count,
        has_failed=has_failed,
    )


def delay_s(attempt: int) -> float:
    """Wait longer after each failure, and not all at the same moment."""
    longest = min(MAX_DELAY_S, FIRST_DELAY_S * 2.0 ** min(attempt, 20))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing


def _claim_next() -> Shipment | None:
    """Claim the oldest shipment that is due and that nobody works on."""
    now = timezone.now()
    due = Shipment.objects.due_at(now)
    for key in due.order_by("formed_at", "pk").values_list("pk", flat=True)[:100]:
        token = uuid4()
        claimed = due.filter(pk=key).update(
            lease_token=token, lease_until=now + LEASE, attempts=F("attempts") + 1
        )
        if claimed:
            return Shipment.objects.get(pk=key)
    return None


def _attempt(shipment: Shipment) -> list[Parked] | None:
    """Deliver a claimed shipment; None when it has to be tried again."""
    try:
        parked = deliver(
            read_rows(shipment),
            token=str(shipment.pk),
            insert=partial(_insert_holding, shipment),
        )
    except LeaseLostError:
        logger.warning("shipment %s was taken over by another process", shipment.pk)
        return None
    except (UnavailableError, Error) as error:
        logger.warning("shipment %s will be tried again: %s", shipment.pk, error)
        SHIPPING_FAILURES.inc()
        _postpone(shipment, error)
        return None
    _acknowledge(shipment, parked)
    SHIPPED_EVENTS.labels("stored").inc(shipment.row_count - len(parked))
    SHIPPED_EVENTS.labels("parked").inc(len(parked))
    return parked


def _insert_holding(
    shipment: Shipment, columns: Mapping[str, Sequence[object]], token: str
) -> None:
    """Insert after making the lease last: bisecting may take many inserts."""
    heartbeat.expect(within_s=INSERT_LIMIT_S)
    mine = _held(shipment.pk, shipment.lease_token)
    if not mine.update(lease_until=timezone.now() + LEASE):
        raise LeaseLostError
    insert_once(columns, token)


def _postpone(shipment: Shipment, error: Exception) -> None:
    mine = _held(shipment.pk, shipment.lease_token)
    mine.update(
        lease_until=None,
        lease_token=None,
        next_attempt_at=timezone.now() + timedelta(seconds=delay_s(shipment.attempts)),
        last_error=str(error)[:MAX_REASON_CHARS],
    )


@transaction.atomic
def _acknowledge(shipment: Shipment, parked: list[Parked]) -> None:
    """Note that a shipment is there, unless somebody else took it over."""
    is_mine = _held(shipment.pk, shipment.lease_token).update(
        state=Shipment.State.SHIPPED,
        shipped_at=timezone.now(),
        lease_until=None,
        lease_token=None,
        last_error="",
    )
    if not is_mine:
        return
    ParkedEvent.objects.bulk_create(
        [
            ParkedEvent(event_id=row.event_id, reason=row.reason[:MAX_REASON_CHARS])
            for row in parked
        ],
        ignore_conflicts=True,
    )


def _held(key: UUID, lease_token: UUID | None) -> QuerySet[Shipment]:
    return Shipment.objects.waiting().filter(pk=key, lease_token=lease_token)
