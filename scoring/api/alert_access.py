"""Who may read and who may change alerts and webhooks."""

from rest_framework.permissions import BasePermission
from rest_framework.views import APIView

from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope

CanRead = has_scope(Scope.SCORES_READ)
CanWrite = has_scope(Scope.ALERTS_WRITE)


class AlertView(APIView):
    """Base: reading asks for one scope, everything else for the other."""

    def get_permissions(self) -> list[BasePermission]:
        reads = self.request.method in {"GET", "HEAD", "OPTIONS"}
        return [CanRead() if reads else CanWrite()]


class WebhookView(APIView):
    """Base: who manages alerts manages webhooks, and nobody else sees them."""

    permission_classes = (CanWrite,)
