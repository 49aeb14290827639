"""Says what a key, or a member who is signed in, may do."""

from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from riskplatform.api.keys.principal import find_principal


class HasScope(BasePermission):
    """Base of the permissions that ask for one scope; see `has_scope`."""

    scope: ClassVar[str] = ""

    def has_permission(self, request: Request, view: APIView) -> bool:
        principal = find_principal(request)
        self.message = f"This needs a key or a membership with the scope {self.scope}."
        return principal is not None and principal.has_scope(self.scope)


def has_scope(wanted: str) -> type[HasScope]:
    """Make a permission for `permission_classes`."""
    return type("HasThisScope", (HasScope,), {"scope": wanted})
