"""Who may read what."""

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from rest_framework.request import Request


def sees_only_public(request: Request | HttpRequest) -> bool:
    """Staff sees every region; everybody else the public ones."""
    user: User | AnonymousUser = request.user
    return not (user.is_active and user.is_staff)
