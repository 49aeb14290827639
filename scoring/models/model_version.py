"""Fitted forecasters, the arrays they are made of, and who became champion."""

from typing import Self

from django.db import models
from django.db.models import Q

from riskplatform.kernel.ids import uuid7
from scoring.models.region import Region


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def champions(self) -> Self:
        return self.filter(state=ModelVersion.State.CHAMPION)

    def of_region(self, region: Region) -> Self:
        return self.filter(region=region)


class ModelVersion(models.Model):
    """A fitted forecaster of a region, for all its horizons."""

    class State(models.TextChoices):
        CANDIDATE = "candidate"
        CHALLENGER = "challenger"
        CHAMPION = "champion"
        RETIRED = "retired"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    region = models.ForeignKey(
        Region, on_delete=models.CASCADE, related_name="model_versions"
    )
    number = models.PositiveIntegerField(help_text="Counts up within the region.")
    kind = models.CharField(max_length=40)
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.CANDIDATE
    )
    trained_from = models.DateTimeField()
    trained_until = models.DateTimeField()
    event_count = models.PositiveIntegerField()
    skill = models.JSONField(default=dict, help_text="Back-test figures by horizon.")
    notes = models.JSONField(
        default=list,
        blank=True,
        help_text="What the figures leave out: events, horizons. One sentence each.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("region", "number"), name="scoring_modelversion_number_unique"
            ),
            models.UniqueConstraint(
                fields=("region",),
                condition=Q(state="champion"),
                name="scoring_modelversion_one_champion",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind}-{self.number}"


class ModelArtifact(models.Model):
    """The arrays of a model version for one horizon, checked by their digest."""

    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="artifacts"
    )
    horizon_sec = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the body.")
    body = models.BinaryField()

    class Meta:
        ordering = ("model_version", "horizon_sec")
        constraints = (
            models.UniqueConstraint(
                fields=("model_version", "horizon_sec"),
                name="scoring_modelartifact_horizon_unique",
            ),
        )

    def __str__(self) -> str:
        return f"{self.digest[:12]} ({self.horizon_sec} s)"


class ModelSwitch(models.Model):
    """One change of the champion; the rows of a region are its history."""

    class Reason(models.TextChoices):
        FIRST = "first", "the region had no champion"
        PROMOTION = "promotion"
        ROLLBACK = "rollback"
        AUTOMATIC_ROLLBACK = "automatic rollback"
        RELOAD = "reload"

    region = models.ForeignKey(
        Region, on_delete=models.CASCADE, related_name="model_switches"
    )
    before = models.ForeignKey(
        ModelVersion,
        on_delete=models.CASCADE,
        related_name="switches_from",
        null=True,
        blank=True,
    )
    after = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="switches_to"
    )
    reason = models.CharField(max_length=24, choices=Reason.choices)
    figures = models.JSONField(default=dict, help_text="What the gate looked at.")
    actor = models.CharField(max_length=200, blank=True)
    switched_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-switched_at", "-id")
        verbose_name_plural = "model switches"

    def __str__(self) -> str:
        return f"{self.reason} to {self.after_id}"
