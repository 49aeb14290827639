"""What a forecast would cost a portfolio."""

from typing import Self

from django.db import models

from riskplatform.api.keys.access import access_of_organisation
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.ids import uuid7
from scoring.models.forecast import Forecast
from scoring.models.portfolio import MONEY_DIGITS, MONEY_PLACES, Portfolio
from scoring.models.region import Region


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        mine = self.filter(portfolio__organisation=organisation)
        return mine.seen_by_organisation(organisation.pk)

    def seen_by_organisation(self, organisation_id: int) -> Self:
        """Keep those against forecasts of regions that an organisation sees."""
        seen = Region.objects.seen_by(access_of_organisation(organisation_id))
        return self.filter(forecast__region__in=seen)


class Assessment(models.Model):
    """A portfolio, as it was at one revision, measured against one forecast."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = models.ForeignKey(
        Portfolio, on_delete=models.CASCADE, related_name="assessments"
    )
    portfolio_revision = models.PositiveIntegerField()
    forecast = models.ForeignKey(
        Forecast, on_delete=models.CASCADE, related_name="assessments"
    )
    quantiles = models.CharField(max_length=200, help_text="Sorted: 0.9,0.95,0.99.")
    risk_score = models.FloatField(help_text="0 to 1; docs/assessments.md defines it.")
    expected_loss = models.DecimalField(
        max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES
    )
    figures = models.JSONField(help_text="VaR, TVaR, AEP, OEP, errors, contributions.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("portfolio", "portfolio_revision", "forecast", "quantiles"),
                name="scoring_assessment_unique",
            ),
        )

    def __str__(self) -> str:
        return f"{self.portfolio_id} at {self.forecast_id}"

    @property
    def is_stored(self) -> bool:
        return not self._state.adding
