"""What can be hurt: portfolios of located, valued assets."""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from riskplatform.api.keys.access import access_of_organisation
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.ids import uuid7
from scoring.models.forecast import Forecast
from scoring.models.region import Region

SEPARATOR = ","
MONEY_DIGITS = 20
MONEY_PLACES = 2
TOTAL_DIGITS = 30
CURRENCY_FORM = "A currency is three capital letters (ISO 4217), such as USD."


class VulnerabilityQuerySet(models.QuerySet["Vulnerability"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        """Keep what the organisation may use: its own, and what all share."""
        return self.filter(Q(organisation=organisation) | Q(organisation=None))


class Vulnerability(models.Model):
    """Which share of its value an asset of a class loses in one event."""

    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.CASCADE,
        related_name="vulnerabilities",
        null=True,
        blank=True,
        help_text="Empty: everybody may use it.",
    )
    slug = models.SlugField()
    name = models.CharField(max_length=200)
    points = models.JSONField(
        help_text="[[severity, damage ratio], …], ascending; linear in between.",
    )

    objects = VulnerabilityQuerySet.as_manager()

    class Meta:
        ordering = ("slug", "id")
        verbose_name_plural = "vulnerabilities"
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "slug"),
                name="scoring_vulnerability_slug_unique",
            ),
            models.UniqueConstraint(
                fields=("slug",),
                condition=Q(organisation=None),
                name="scoring_vulnerability_shared_slug_unique",
            ),
        )

    def __str__(self) -> str:
        return self.slug


class PortfolioQuerySet(models.QuerySet["Portfolio"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        return self.filter(organisation=organisation)


class Portfolio(models.Model):
    """Assets that are assessed together, in one currency."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="portfolios"
    )
    name = models.CharField(max_length=200)
    currency = models.CharField(
        max_length=3,
        validators=[RegexValidator(r"^[A-Z]{3}\Z", CURRENCY_FORM)],
        help_text="ISO 4217 code; XXX where values are not money.",
    )
    revision = models.PositiveIntegerField(
        default=1, help_text="Counts every change of the assets and their places."
    )
    # The totals belong to the revision: every change of an asset updates them.
    asset_count = models.PositiveIntegerField(default=0, editable=False)
    total_value = models.DecimalField(
        max_digits=TOTAL_DIGITS,
        decimal_places=MONEY_PLACES,
        default=0,
        editable=False,
    )
    outside_count = models.PositiveIntegerField(
        default=0, editable=False, help_text="Assets that lie in no cell of any region."
    )
    outside_value = models.DecimalField(
        max_digits=TOTAL_DIGITS,
        decimal_places=MONEY_PLACES,
        default=0,
        editable=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PortfolioQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "name"), name="scoring_portfolio_name_unique"
            ),
        )

    def __str__(self) -> str:
        return self.name


class AssetQuerySet(models.QuerySet["Asset"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        return self.filter(portfolio__organisation=organisation)

    def outside(self) -> Self:
        """Keep the assets that lie in no cell of any region."""
        return self.filter(~Exists(AssetPlace.objects.filter(asset=OuterRef("pk"))))

    def inside(self) -> Self:
        return self.filter(Exists(AssetPlace.objects.filter(asset=OuterRef("pk"))))


class Asset(models.Model):
    """A located, valued thing that can be hurt."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = models.ForeignKey(
        Portfolio, on_delete=models.CASCADE, related_name="assets"
    )
    reference = models.CharField(
        max_length=100, help_text="The client's own name of it, unique in a portfolio."
    )
    name = models.CharField(max_length=200, blank=True)
    lat = models.FloatField(validators=[MinValueValidator(-90), MaxValueValidator(90)])
    lon = models.FloatField(
        validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    value = models.DecimalField(
        max_digits=MONEY_DIGITS,
        decimal_places=MONEY_PLACES,
        validators=[MinValueValidator(0)],
    )
    deductible = models.DecimalField(
        max_digits=MONEY_DIGITS,
        decimal_places=MONEY_PLACES,
        default=0,
        help_text="Of each event, borne by the owner.",
    )
    limit = models.DecimalField(
        max_digits=MONEY_DIGITS,
        decimal_places=MONEY_PLACES,
        null=True,
        blank=True,
        help_text="At most this much of each event.",
    )
    vulnerability = models.ForeignKey(
        Vulnerability,
        on_delete=models.RESTRICT,
        related_name="assets",
        null=True,
        blank=True,
        help_text="Empty: every event in the cell takes the whole value.",
    )
    ignored_terms = models.TextField(
        default="",
        blank=True,
        editable=False,
        help_text="Columns of the file with terms that no asset can have.",
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("portfolio", "reference"),
                name="scoring_asset_reference_unique",
            ),
            models.CheckConstraint(
                condition=Q(value__gte=0, deductible__gte=0)
                & (Q(limit=None) | Q(limit__gte=0)),
                name="scoring_asset_money_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(lat__range=(-90, 90), lon__range=(-180, 180)),
                name="scoring_asset_on_the_globe",
            ),
        )

    def __str__(self) -> str:
        return self.reference


class AssetPlace(models.Model):
    """The cell of a region in which an asset lies; none for assets outside."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="places")
    region = models.ForeignKey(
        Region, on_delete=models.CASCADE, related_name="asset_places"
    )
    h3 = models.BigIntegerField(help_text="64-bit H3 index, a cell of the region.")

    class Meta:
        ordering = ("region", "h3", "asset")
        constraints = (
            models.UniqueConstraint(
                fields=("asset", "region"), name="scoring_assetplace_unique"
            ),
        )
        indexes = (models.Index(fields=("region", "h3"), name="scoring_assetplace_h3"),)

    def __str__(self) -> str:
        return f"{self.asset_id} in {self.h3:x}"


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
