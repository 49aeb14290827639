"""What was said about the future, the arrays it was said with, and how it did."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from riskplatform.kernel.ids import uuid7
from scoring.models.model_version import ModelVersion
from scoring.models.region import Region


class ForecastQuerySet(models.QuerySet["Forecast"]):
    def of_region(self, region: Region) -> Self:
        return self.filter(region=region)

    def for_horizon(self, horizon_sec: int) -> Self:
        return self.filter(horizon_sec=horizon_sec)

    def issued_by(self, moment: datetime) -> Self:
        return self.filter(issued_for__lte=moment)

    def served(self) -> Self:
        """Leave out what challengers said in the shadow of the champion."""
        return self.filter(is_shadow=False)

    def newest_first(self) -> Self:
        """Of one instant, the forecast that was put in service last comes first."""
        return self.order_by("-issued_for", "-served_at", "-id")


class Forecast(models.Model):
    """One run of a model version for a region, an instant and a horizon."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    region = models.ForeignKey(
        Region, on_delete=models.CASCADE, related_name="forecasts"
    )
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.RESTRICT, related_name="forecasts"
    )
    issued_for = models.DateTimeField(help_text="Events before this are known.")
    horizon_sec = models.PositiveIntegerField()
    event_count = models.PositiveIntegerField(help_text="Events it rests on.")
    cell_count = models.PositiveIntegerField()
    expected_count = models.FloatField(help_text="Events expected in the region.")
    raised_cell_count = models.PositiveIntegerField(
        default=0,
        help_text="Cells for which a shorter horizon expected more, so that they have"
        " its figure.",
    )
    region_alpha = models.FloatField(
        help_text="Negative binomial dispersion of the region's total."
    )
    correlation_range_km = models.FloatField(
        default=0.0, help_text="How far neighbours move together; 0: as rings say."
    )
    is_shadow = models.BooleanField(
        default=False, help_text="Made by a challenger, to be scored, not served."
    )
    served_at = models.DateTimeField(
        default=timezone.now,
        help_text="When it was put in service, again after a change of champion.",
    )
    ledgered_at = models.DateTimeField(
        null=True, blank=True, help_text="When its cells were written to the ledger."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ForecastQuerySet.as_manager()

    class Meta:
        ordering = ("-issued_for", "horizon_sec", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("model_version", "issued_for", "horizon_sec"),
                name="scoring_forecast_run_unique",
            ),
        )
        indexes = (
            models.Index(
                fields=("region", "horizon_sec", "-issued_for"),
                name="scoring_forecast_latest",
            ),
            models.Index(
                fields=("created_at",),
                condition=models.Q(ledgered_at=None),
                name="scoring_forecast_unledgered",
            ),
        )

    def __str__(self) -> str:
        return f"{self.region_id}/{self.horizon_sec} s at {self.issued_for:%Y-%m-%d}"

    @property
    def valid_until(self) -> datetime:
        return self.issued_for + timedelta(seconds=self.horizon_sec)


class ForecastArrays(models.Model):
    """The per-cell distributions of a forecast and its scenario set, as arrays."""

    forecast = models.OneToOneField(
        Forecast, on_delete=models.CASCADE, primary_key=True, related_name="arrays"
    )
    body = models.BinaryField(help_text="npz of cells, mean, alpha and quantiles.")
    scenarios = models.BinaryField(help_text="npz of the events of all scenarios.")

    class Meta:
        verbose_name_plural = "forecast arrays"

    def __str__(self) -> str:
        return str(self.forecast_id)


class ForecastSkill(models.Model):
    """The figures of one forecast against what happened."""

    forecast = models.OneToOneField(
        Forecast, on_delete=models.CASCADE, primary_key=True, related_name="skill"
    )
    scored_at = models.DateTimeField(auto_now_add=True)
    observed_count = models.PositiveIntegerField()
    log_score = models.FloatField(help_text="Nats, higher is better.")
    brier_score = models.FloatField(help_text="Of at least one event in a cell.")
    gain = models.FloatField(
        null=True, help_text="Nats an event over the map of long-run rates."
    )
    n_test_low = models.FloatField(help_text="P(at least as many as observed).")
    n_test_high = models.FloatField(help_text="P(at most as many as observed).")
    figures = models.JSONField(default=dict, help_text="Hit rates and coverage.")

    class Meta:
        ordering = ("-scored_at",)
        verbose_name_plural = "forecast skill"

    def __str__(self) -> str:
        return str(self.forecast_id)
