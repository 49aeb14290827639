"""Who may read what."""

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from rest_framework.request import Request

from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.principal import find_principal


def sees_only_public(request: Request | HttpRequest) -> bool:
    """Staff and readers of scores see every region; everybody else the public ones."""
    user: User | AnonymousUser = request.user
    if user.is_active and user.is_staff:
        return False
    principal = find_principal(request)
    return principal is None or not principal.has_scope(Scope.SCORES_READ)
