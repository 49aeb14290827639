"""How a view has its answers kept: it declares how, and names what they rest on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest
from rest_framework.request import Request

from perf.cache.edge.principals import NOBODY, Caller
from riskplatform.api.keys.access import find_access

PLAN_KEY: Final = "perf.edge.plan"

# For an answer from which something is missing that may be there the next time.
NOT_TO_BE_KEPT: Final = {"Cache-Control": "no-store"}


# Names those who share an answer: of the caller, the WSGI environment and the body.
Audience = Callable[[Caller, Mapping[str, Any], bytes], str]


def own_rights(caller: Caller, _environ: Mapping[str, Any], _body: bytes) -> str:
    """Share answers among those who act for one organisation with the same rights."""
    return caller.text


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePolicy:
    """Lets the answers of a view be kept and given again without Django.

    Only answers with status 200 are kept, for `ttl_s` seconds at most, and only when
    the view has said with `rests_on` what they rest on. A POST that opts in must be
    safe: to ask again changes nothing. `audience` names those who share an answer.
    """

    ttl_s: float
    method: str = "GET"
    audience: Audience = own_rights


@dataclass(slots=True)
class Plan:
    """For whom a view is at work, and what it has said about its answer."""

    caller: Caller = NOBODY
    audience: str = ""
    names: set[str] = field(default_factory=set)
    is_for_another: bool = False


def rests_on(request: Request | HttpRequest, *names: str) -> None:
    """Say what an answer rests on, in the names that services announce changes by.

    Where no cache stands before Django it changes nothing.
    """
    plan = request.META.get(PLAN_KEY)
    if plan is not None:
        plan.names.update(names)
        # Rights may have changed since the caller was looked up, before the view.
        plan.is_for_another |= plan.caller.access != find_access(request)


def confirm_audience(request: Request | HttpRequest, audience: str) -> None:
    """Say who may share an answer, as the view has found out.

    If that is another audience than the one it was asked for, it is not kept.
    """
    plan = request.META.get(PLAN_KEY)
    if plan is not None:
        plan.is_for_another |= plan.audience != audience
