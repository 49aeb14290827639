"""Who became champion of a region, when and why."""

from django.db import models

from scoring.models.model_version import ModelVersion
from scoring.models.region import Region


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
