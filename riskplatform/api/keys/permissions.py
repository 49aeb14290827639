"""Says what a key, a member who is signed in, or staff may do."""

from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from riskplatform.api.keys.access import Right, find_access
from riskplatform.api.keys.principal import find_principal


class HasScope(BasePermission):
    """Base of the permissions that require one scope; see `has_scope`."""

    scope: ClassVar[str] = ""

    def has_permission(self, request: Request, view: APIView) -> bool:
        principal = find_principal(request)
        self.message = f"This needs a key or a membership with the scope {self.scope}."
        return principal is not None and principal.has_scope(self.scope)


class HasRight(BasePermission):
    """Base of the permissions that staff can have as well; see `has_right`."""

    right: ClassVar[Right]

    def has_permission(self, request: Request, view: APIView) -> bool:
        self.message = (
            "This needs a key or a membership with the scope"
            f" {self.right.scope}, or the permission {self.right.permission}."
        )
        return find_access(request).has(self.right)


def has_scope(wanted: str) -> type[HasScope]:
    """Make a permission for `permission_classes`."""
    return type("HasThisScope", (HasScope,), {"scope": wanted})


def has_right(wanted: Right) -> type[HasRight]:
    """Make a permission for views that act for no organisation."""
    return type("HasThisRight", (HasRight,), {"right": wanted})
