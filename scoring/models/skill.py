"""How a forecast did, once its horizon has passed."""

from django.db import models

from scoring.models.forecast import Forecast


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
