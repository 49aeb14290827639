"""Where alerts are sent, and each sending."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.ids import uuid7
from scoring.models.alert import AlertChange


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        return self.filter(organisation=organisation)


class Webhook(models.Model):
    """An address that is told of the alerts of an organisation, with a signature."""

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


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        return self.filter(webhook__organisation=organisation)

    def due_at(self, moment: datetime) -> Self:
        """Keep what may be sent now and that nobody is sending."""
        return self.filter(
            Q(lease_until=None) | Q(lease_until__lte=moment),
            state=WebhookDelivery.State.PENDING,
            next_attempt_at__lte=moment,
            webhook__is_enabled=True,
        )


class WebhookDelivery(models.Model):
    """One message to one address, until it has arrived or is given up."""

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
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
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
            models.Index(
                fields=("state", "next_attempt_at"), name="scoring_delivery_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.occasion} ({self.state})"
