"""How a view has its answers kept: it declares how, and names what they rest on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from django.http import HttpRequest
from rest_framework.request import Request

from perf.cache.callers import NOBODY, Caller
from riskplatform.api.keys.principal import find_principal

PLAN_KEY: Final = "perf.edge.plan"

# For an answer from which something is missing that may be there the next time.
NOT_TO_BE_KEPT: Final = {"Cache-Control": "no-store"}


def own_rights(caller: Caller) -> str:
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
    audience: Callable[[Caller], str] = own_rights


@dataclass(slots=True)
class Plan:
    """For whom a view is at work, and what it has said about its answer."""

    caller: Caller = NOBODY
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
        plan.is_for_another |= not _is_from(plan.caller, request)


def _is_from(caller: Caller, request: Request | HttpRequest) -> bool:
    principal = find_principal(request)
    is_staff = request.user.is_active and getattr(request.user, "is_staff", False)
    if principal is None:
        return caller == Caller(is_staff=is_staff)
    return caller == Caller(
        organisation_id=principal.organisation.pk,
        scopes=principal.scopes,
        is_staff=is_staff,
    )
