"""Alert rules, which are conditions on forecasts, and the alerts they opened."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from riskplatform.api.keys.access import access_of_organisation, regions_seen_by
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.ids import uuid7
from scoring.models.forecast import Forecast
from scoring.models.portfolio import Portfolio
from scoring.models.region import Region


class AlertSeverity(models.TextChoices):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertRuleQuerySet(models.QuerySet["AlertRule"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        return self.filter(organisation=organisation)

    def enabled(self) -> Self:
        """Filter the rules to evaluate: their organisation sees the region."""
        # Not joined, so that to lock a rule locks no region.
        regions = Region.objects.filter(pk=OuterRef("region"))
        seen = regions.filter(regions_seen_by(OuterRef("organisation")))
        return self.filter(Exists(seen), is_enabled=True)


class AlertRule(models.Model):
    """A threshold on a figure of each new forecast of a region or portfolio."""

    class Metric(models.TextChoices):
        P_EVENT = "p_event"
        EXPECTED_COUNT = "expected_count"
        TVAR = "tvar"

    class Comparison(models.TextChoices):
        LEVEL = "level", "the figure is at or above the threshold"
        CHANGE = "change", "it is at or above threshold times the forecast before"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="alert_rules"
    )
    name = models.CharField(max_length=200)
    region = models.ForeignKey(
        Region, on_delete=models.CASCADE, related_name="alert_rules"
    )
    portfolio = models.ForeignKey(
        Portfolio,
        on_delete=models.CASCADE,
        related_name="alert_rules",
        null=True,
        blank=True,
        help_text="Look only at cells with assets of it; TVaR needs one.",
    )
    cells = models.JSONField(
        null=True, blank=True, help_text="H3 indexes; empty: the whole region."
    )
    horizon_sec = models.PositiveIntegerField()
    metric = models.CharField(max_length=16, choices=Metric.choices)
    comparison = models.CharField(
        max_length=16, choices=Comparison.choices, default=Comparison.LEVEL
    )
    threshold = models.FloatField()
    quantile = models.FloatField(
        null=True, blank=True, help_text="Of the TVaR, such as 0.99."
    )
    severity = models.CharField(
        max_length=16, choices=AlertSeverity.choices, default=AlertSeverity.WARNING
    )
    daily_budget = models.PositiveIntegerField(
        default=20, help_text="New alerts in 24 hours at most."
    )
    is_enabled = models.BooleanField(default=True)
    last_forecast = models.ForeignKey(
        Forecast,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        help_text="The newest forecast that the rule was asked about.",
    )
    held_back_count = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="Hot areas that the budget kept quiet, counted at each forecast.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AlertRuleQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "name"), name="scoring_alertrule_name_unique"
            ),
        )

    def __str__(self) -> str:
        return self.name


class AlertQuerySet(models.QuerySet["Alert"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        """Keep its alerts about regions that it sees."""
        seen = Region.objects.seen_by(access_of_organisation(organisation.pk))
        return self.filter(rule__region__in=seen, rule__organisation=organisation)

    def unresolved(self) -> Self:
        return self.exclude(state=Alert.State.RESOLVED)

    def past_by(self, moment: datetime) -> Self:
        """Keep the unresolved alerts whose window was over by then."""
        return self.unresolved().filter(valid_until__lte=moment)

    def snoozed_before(self, moment: datetime) -> Self:
        """Keep the snoozed alerts whose snooze has passed."""
        return self.filter(state=Alert.State.SNOOZED, snoozed_until__lte=moment)


class Alert(models.Model):
    """A rule that fired for one connected hot area, from first to last forecast."""

    class State(models.TextChoices):
        OPEN = "open"
        ACKNOWLEDGED = "acknowledged"
        SNOOZED = "snoozed"
        RESOLVED = "resolved"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="alerts")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    severity = models.CharField(max_length=16, choices=AlertSeverity.choices)
    first_forecast = models.ForeignKey(
        Forecast,
        on_delete=models.SET_NULL,
        related_name="alerts_opened",
        null=True,
        blank=True,
        help_text="Empty once that forecast was deleted; the alert stays.",
    )
    last_forecast = models.ForeignKey(
        Forecast,
        on_delete=models.SET_NULL,
        related_name="alerts_seen",
        null=True,
        blank=True,
        help_text="Empty once that forecast was deleted; the alert stays.",
    )
    first_issued_for = models.DateTimeField(
        help_text="Begin of the first forecast's window, by which the alert is judged."
    )
    first_valid_until = models.DateTimeField(help_text="End of that window.")
    valid_until = models.DateTimeField(help_text="End of the last forecast's window.")
    cells = models.JSONField(help_text="H3 indexes of the area, hottest first.")
    first_cells = models.JSONField(
        help_text="The area of the first forecast, by which the alert is judged."
    )
    value = models.FloatField(help_text="The figure that fired, at its worst cell.")
    lat = models.FloatField(help_text="Latitude of the worst cell, degrees.")
    lon = models.FloatField(help_text="Longitude of the worst cell, degrees.")
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        related_name="merged",
        null=True,
        blank=True,
        help_text="The alert whose area grew over this one.",
    )
    scored_at = models.DateTimeField(
        null=True, blank=True, help_text="Once the horizon has passed."
    )
    was_right = models.BooleanField(
        null=True, help_text="An event came in the area within the horizon."
    )
    lead_time_s = models.FloatField(
        null=True, blank=True, help_text="From the forecast to the first event."
    )

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(
                fields=("rule",),
                condition=~Q(state="resolved"),
                name="scoring_alert_unresolved",
            ),
            models.Index(
                fields=("first_valid_until",),
                condition=Q(scored_at=None),
                name="scoring_alert_unscored",
            ),
        )

    def __str__(self) -> str:
        return f"{self.state} since {self.opened_at:%Y-%m-%d %H:%M}"


class AlertChange(models.Model):
    """One step in the life of an alert: what, when and by whom."""

    class Kind(models.TextChoices):
        OPENED = "opened"
        ACKNOWLEDGED = "acknowledged"
        SNOOZED = "snoozed"
        WOKEN = "woken", "the snooze has passed"
        RESOLVED = "resolved"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    actor = models.CharField(
        max_length=200, blank=True, help_text="Empty: the platform itself."
    )
    changed_at = models.DateTimeField()
    snoozed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.kind} at {self.changed_at:%Y-%m-%d %H:%M}"
