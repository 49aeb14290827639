"""What goes to ClickHouse in one piece."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from perf.jobs.claims import Leased, LeasedQuerySet
from riskplatform.kernel.ids import uuid7


class ShipmentQuerySet(LeasedQuerySet["Shipment"]):
    def waiting(self) -> Self:
        return self.filter(state=Shipment.State.WAITING)


class Shipment(Leased):
    """Batches that go to ClickHouse by one insert; its id is the insert's token.

    Which batches belong to it is written once, before the first attempt. Each
    attempt then sends the same rows under the same token, and ClickHouse keeps one.
    """

    first_wait_s = 1.0
    longest_wait_s = 60.0

    class State(models.TextChoices):
        WAITING = "waiting"
        SHIPPED = "shipped"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    row_count = models.PositiveIntegerField(default=0)
    formed_at = models.DateTimeField(default=timezone.now)
    shipped_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = ShipmentQuerySet.as_manager()

    class Meta:
        ordering = ("-formed_at", "pk")
        indexes = (
            models.Index(
                fields=("due_at",),
                condition=Q(state="waiting"),
                name="analytics_shipment_waiting",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)
