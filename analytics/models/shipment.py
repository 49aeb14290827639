"""What goes to ClickHouse in one piece."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from riskplatform.kernel.ids import uuid7


class ShipmentQuerySet(models.QuerySet["Shipment"]):
    def waiting(self) -> Self:
        return self.filter(state=Shipment.State.WAITING)

    def due_at(self, moment: datetime) -> Self:
        """Keep those whose time has come and that nobody works on."""
        is_free = Q(lease_until=None) | Q(lease_until__lt=moment)
        return self.waiting().filter(is_free, next_attempt_at__lte=moment)


class Shipment(models.Model):
    """Batches that go to ClickHouse by one insert; its id is the insert's token.

    Which batches belong to it is written once, before the first attempt. Each
    attempt then sends the same rows under the same token, and ClickHouse keeps one.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        SHIPPED = "shipped"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    row_count = models.PositiveIntegerField(default=0)
    formed_at = models.DateTimeField(default=timezone.now)
    shipped_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = ShipmentQuerySet.as_manager()

    class Meta:
        ordering = ("-formed_at", "pk")
        indexes = (
            models.Index(
                fields=("next_attempt_at",),
                condition=Q(state="waiting"),
                name="analytics_shipment_waiting",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)
