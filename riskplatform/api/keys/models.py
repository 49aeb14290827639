"""Who speaks to the API: organisations, and the keys they hold."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone


class Organisation(models.Model):
    """A client of the platform; everything that a client owns names one."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    EVENTS_WRITE = "events:write"
    SCORES_READ = "scores:read"
    PORTFOLIOS_READ = "portfolios:read"
    PORTFOLIOS_WRITE = "portfolios:write"
    MODELS_WRITE = "models:write"
    ALERTS_WRITE = "alerts:write"


READING = frozenset({Scope.SCORES_READ.value, Scope.PORTFOLIOS_READ.value})


class Membership(models.Model):
    """A person who acts for an organisation when signed in."""

    class Role(models.TextChoices):
        VIEWER = "viewer", "reads"
        EDITOR = "editor", "reads and writes"

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("organisation", "user")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "user"), name="keys_membership_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} in {self.organisation_id}"

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(Scope.values) if self.role == self.Role.EDITOR else READING


class ApiKey(models.Model):
    """What a client shows to be let in; the secret itself is not stored."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=8, unique=True)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(
        null=True, blank=True, help_text="To the minute: not every use is written."
    )

    class Meta:
        ordering = ("organisation", "name", "pk")
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"rp_{self.prefix}_…"

    def is_usable_at(self, moment: datetime) -> bool:
        is_running = self.expires_at is None or moment < self.expires_at
        return self.revoked_at is None and is_running
