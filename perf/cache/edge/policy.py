"""How a view has its responses cached, and says what they depend on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest
from rest_framework.request import Request

from perf.cache.edge.principals import NOBODY, EdgePrincipal
from riskplatform.api.keys.access import find_access

PLAN_KEY: Final = "perf.edge.plan"

# For a response from which something is missing that may be there the next time.
NO_STORE: Final = {"Cache-Control": "no-store"}

# Names those who share a response: of the principal, the WSGI environment and the body.
Audience = Callable[[EdgePrincipal, Mapping[str, Any], bytes], str]


def own_rights(
    principal: EdgePrincipal, _environ: Mapping[str, Any], _body: bytes
) -> str:
    """Share responses among those who act for one organisation with the same rights."""
    return principal.cache_key


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EdgePolicy:
    """Lets the responses of a view be cached and given again without Django.

    Only responses with status 200 are cached, for `ttl_s` seconds at most, and only
    when the view has said with `depends_on` what they depend on. A POST that opts in
    must be safe: to repeat it changes nothing. `audience` names those who share one.
    """

    ttl_s: float
    method: str = "GET"
    audience: Audience = own_rights


@dataclass(slots=True)
class Plan:
    """For whom a view is at work, and what it has said about its response."""

    principal: EdgePrincipal = NOBODY
    audience: str = ""
    names: set[str] = field(default_factory=set)
    is_for_another: bool = False


def depends_on(request: Request | HttpRequest, *names: str) -> None:
    """Say what a response depends on, in the names that services publish changes by.

    Where no cache stands before Django it changes nothing.
    """
    plan = request.META.get(PLAN_KEY)
    if plan is not None:
        plan.names.update(names)
        # Rights may have changed since the principal was found, before the view.
        plan.is_for_another |= plan.principal.access != find_access(request)


def confirm_audience(request: Request | HttpRequest, audience: str) -> None:
    """Say who may share a response, as the view has found out.

    A response for another audience than the request's is not cached.
    """
    plan = request.META.get(PLAN_KEY)
    if plan is not None:
        plan.is_for_another |= plan.audience != audience
