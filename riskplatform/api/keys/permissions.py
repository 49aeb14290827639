"""Says what a key, a member who is signed in, or staff may do."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from riskplatform.api.keys.access import Right, find_access
from riskplatform.api.keys.principal import find_principal


def has_scope(wanted: str) -> type[BasePermission]:
    """Make a permission that requires a scope."""

    class HasScope(BasePermission):
        message = f"This needs a key or a membership with the scope {wanted}."
        needed = f"scope {wanted}"

        def has_permission(self, request: Request, view: APIView) -> bool:
            principal = find_principal(request)
            return principal is not None and wanted in principal.scopes

    return HasScope


def has_right(wanted: Right) -> type[BasePermission]:
    """Make a permission for views that act for no organisation; staff can have it."""

    class HasRight(BasePermission):
        message = (
            "This needs a key or a membership with the scope"
            f" {wanted.scope}, or the permission {wanted.permission}."
        )
        needed = f"scope {wanted.scope} or permission {wanted.permission}"

        def has_permission(self, request: Request, view: APIView) -> bool:
            return find_access(request).has(wanted)

    return HasRight
