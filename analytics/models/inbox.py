"""The inbox: accepted events in the default database, and what ships them together."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from perf.jobs.claims import Leased, LeasedQuerySet
from riskplatform.api.keys.models import Organisation
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


class EventSource(models.Model):
    """Where an organisation's events come from; ids are unique within it.

    Its row is the lock under which events of the source are compared and written.
    One without an organisation is the installation's; only files bring its events.
    """

    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="event_sources",
        null=True,
        blank=True,
    )
    name = models.CharField(max_length=100)
    file_regions = models.JSONField(
        default=list,
        blank=True,
        help_text="Slugs of regions that files brought events of this source to.",
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("organisation", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "name"),
                name="analytics_eventsource_organisation_name_unique",
            ),
            models.UniqueConstraint(
                fields=("name",),
                condition=Q(organisation=None),
                name="analytics_eventsource_installation_name_unique",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def stored_name(self) -> str:
        """What its events in ClickHouse name as their source."""
        owner = self.organisation
        return self.name if owner is None else f"{owner.slug}/{self.name}"


class IngestBatchQuerySet(models.QuerySet["IngestBatch"]):
    def unclaimed(self) -> Self:
        """Keep those that belong to no shipment yet."""
        return self.filter(shipment=None, accepted_count__gt=0)

    def waiting(self) -> Self:
        """Keep those whose events are not in ClickHouse yet."""
        is_on_its_way = Q(shipment__state=Shipment.State.WAITING)
        return self.filter(Q(shipment=None) | is_on_its_way, accepted_count__gt=0)


class IngestBatch(models.Model):
    """The rows of one POST that were validated and written by one transaction."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    post = models.UUIDField(help_text="The batch_id of the answer to the POST.")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="ingest_batches"
    )
    received_at = models.DateTimeField()
    first_index = models.PositiveIntegerField(default=0)
    row_count = models.PositiveIntegerField()
    accepted_count = models.PositiveIntegerField()
    duplicate_count = models.PositiveIntegerField()
    refused_count = models.PositiveIntegerField()
    shipment = models.ForeignKey(
        Shipment, on_delete=models.PROTECT, null=True, related_name="batches"
    )
    pruned_at = models.DateTimeField(
        null=True, help_text="Since then only the counts of its rows are known."
    )

    objects = IngestBatchQuerySet.as_manager()

    class Meta:
        ordering = ("-received_at", "pk")
        verbose_name_plural = "ingest batches"
        indexes = (
            models.Index(fields=("post", "first_index"), name="analytics_batch_post"),
            models.Index(
                fields=("received_at",),
                condition=Q(shipment=None, accepted_count__gt=0),
                name="analytics_batch_unclaimed",
            ),
            models.Index(
                fields=("received_at",),
                condition=Q(pruned_at=None),
                name="analytics_batch_unpruned",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    row_count=F("accepted_count")
                    + F("duplicate_count")
                    + F("refused_count")
                ),
                name="analytics_ingestbatch_every_row_counted",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class InboxEvent(models.Model):
    """One version of an event as its source sent it; a row never changes.

    `previous_*` say where the version before stood in ClickHouse, when that is
    another position in its order: shipping withdraws that row as well.
    """

    # Written only by the transaction that writes the batch, under the lock of the
    # source; a check of the references for each row would cost more than the row.
    batch = models.ForeignKey(
        IngestBatch,
        on_delete=models.CASCADE,
        related_name="events",
        db_constraint=False,
        db_index=False,
    )
    source = models.ForeignKey(
        EventSource,
        on_delete=models.CASCADE,
        related_name="events",
        db_constraint=False,
        db_index=False,
    )
    row_index = models.PositiveIntegerField(help_text="Place in the POST, from 0.")
    external_id = models.CharField(max_length=200)
    version = models.BigIntegerField()
    is_retracted = models.BooleanField()
    region = models.CharField(max_length=50)
    cell = models.BigIntegerField()
    occurred_ms = models.BigIntegerField()
    received_ms = models.BigIntegerField(help_text="When the first version arrived.")
    lat = models.FloatField()
    lon = models.FloatField()
    event_type = models.CharField(max_length=200)
    severity = models.FloatField(null=True)
    amount = models.FloatField(null=True)
    attributes = models.TextField(help_text="A JSON object of texts, or nothing.")
    previous_region = models.CharField(max_length=50)
    previous_cell = models.BigIntegerField(null=True)
    previous_occurred_ms = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("batch", "row_index")
        constraints = (
            models.UniqueConstraint(
                fields=("source", "external_id", "version"),
                name="analytics_inboxevent_identity_version_unique",
            ),
            models.UniqueConstraint(
                fields=("batch", "row_index"),
                name="analytics_inboxevent_batch_row_index_unique",
            ),
        )

    def __str__(self) -> str:
        return f"{self.external_id} ({self.version})"


class SettledEvent(models.Model):
    """What is left of a version that was shipped and pruned from the inbox.

    It is what distinguishes repetitions, corrections and retractions: the
    identity, the position in ClickHouse, and a digest of all that the version said.
    """

    source = models.ForeignKey(
        EventSource,
        on_delete=models.CASCADE,
        related_name="settled_events",
        db_constraint=False,
        db_index=False,
    )
    external_id = models.CharField(max_length=200)
    version = models.BigIntegerField()
    received_ms = models.BigIntegerField()
    is_retracted = models.BooleanField()
    region = models.CharField(max_length=50)
    cell = models.BigIntegerField()
    occurred_ms = models.BigIntegerField()
    facts_digest = models.BinaryField(max_length=16)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("source", "external_id", "version"),
                name="analytics_settledevent_identity_version_unique",
            ),
        )

    def __str__(self) -> str:
        return f"{self.external_id} ({self.version})"


class ParkedEvent(models.Model):
    """An accepted event that ClickHouse will not take, and why."""

    event = models.OneToOneField(
        InboxEvent, on_delete=models.PROTECT, related_name="parked"
    )
    reason = models.CharField(max_length=300)
    parked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-parked_at", "pk")

    def __str__(self) -> str:
        return self.reason


class RefusedEvent(models.Model):
    """A row that was not accepted, and why."""

    batch = models.ForeignKey(
        IngestBatch,
        on_delete=models.CASCADE,
        related_name="refused",
        db_constraint=False,
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="refused_events"
    )
    source = models.CharField(max_length=100, blank=True)
    row_index = models.PositiveIntegerField()
    code = models.CharField(max_length=40)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.reason
