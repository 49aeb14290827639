"""Where alerts are sent, and each sending."""

from datetime import timedelta
from typing import Self

from django.db import models

from perf.jobs.claims import Leased, LeasedQuerySet
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.ids import uuid7
from scoring.models.alert import AlertChange


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        return self.filter(organisation=organisation)


class Webhook(models.Model):
    """An address that gets the alerts of an organisation, with a signature."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="webhooks"
    )
    name = models.CharField(max_length=200)
    url = models.CharField(max_length=500, help_text="An https address.")
    secret_number = models.PositiveIntegerField(
        default=1, help_text="The secret is derived from it; counting up rotates it."
    )
    rotated_at = models.DateTimeField(
        null=True, blank=True, help_text="The secret before stays good for a day."
    )
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "name"), name="scoring_webhook_name_unique"
            ),
        )

    def __str__(self) -> str:
        return self.name


class WebhookDeliveryQuerySet(LeasedQuerySet["WebhookDelivery"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        return self.filter(webhook__organisation=organisation)

    def sendable(self) -> Self:
        return self.filter(
            state=WebhookDelivery.State.PENDING, webhook__is_enabled=True
        )


class WebhookDelivery(Leased):
    """One message to one address, until it has arrived or is given up."""

    lease = timedelta(seconds=120)
    first_wait_s = 60.0
    longest_wait_s = 24 * 3_600.0

    class State(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries"
    )
    change = models.ForeignKey(
        AlertChange,
        on_delete=models.CASCADE,
        related_name="deliveries",
        null=True,
        blank=True,
        help_text="Empty: a test message.",
    )
    occasion = models.CharField(max_length=40, help_text="alert.opened, alert.resolved")
    body = models.BinaryField()
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.PENDING
    )
    last_status = models.PositiveIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "webhook deliveries"
        constraints = (
            models.UniqueConstraint(
                fields=("webhook", "change"), name="scoring_webhookdelivery_unique"
            ),
        )
        indexes = (
            models.Index(fields=("state", "due_at"), name="scoring_delivery_due"),
        )

    def __str__(self) -> str:
        return f"{self.occasion} ({self.state})"
