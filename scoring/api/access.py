"""Who may read what."""

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from rest_framework.request import Request

from perf.cache.callers import Caller
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.principal import find_principal


def sees_only_public(request: Request | HttpRequest) -> bool:
    """Staff and readers of scores see every region; everybody else the public ones."""
    user: User | AnonymousUser = request.user
    if user.is_active and user.is_staff:
        return False
    principal = find_principal(request)
    return principal is None or not principal.has_scope(Scope.SCORES_READ)


def by_visibility(caller: Caller) -> str:
    """Share answers of views that are open to everybody among those who see the same.

    It says of a caller what `sees_only_public` says of the request.
    """
    sees_all = caller.is_staff or caller.has_scope(Scope.SCORES_READ)
    return "sees all regions" if sees_all else "sees public regions"
