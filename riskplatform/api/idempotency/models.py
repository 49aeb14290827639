"""What was answered to requests that may come again."""

from django.db import models
from django.utils import timezone

from riskplatform.api.keys.models import Organisation


class IdempotentRequest(models.Model):
    """One Idempotency-Key of an organisation, and the answer once there is one."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="idempotent_requests"
    )
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ("-created_at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "key"),
                name="idempotency_request_organisation_key_unique",
            ),
        )

    def __str__(self) -> str:
        return self.key
