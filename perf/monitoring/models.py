"""What the platform counted in the last hours, for the page of its operators."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class MetricReading(models.Model):
    """What happened since the reading before: small, so that hours are read at once.

    `counts` has for each objective rows of labels, bad and all events (or seconds);
    `points` has for each chart a number by line. `samples` is what /metrics said, of
    the newest reading only: the next one is compared with it.
    """

    at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField(default=0.0)
    counts = models.JSONField(default=dict)
    points = models.JSONField(default=dict)
    samples = models.BinaryField(null=True)

    class Meta:
        ordering = ("at",)
        verbose_name = "reading of metrics"
        verbose_name_plural = "operations"
        indexes: ClassVar = (
            models.Index(fields=("at",), name="perf_metricreading_at"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
