"""Forecasts, the model versions they are from, and how good both are."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin, ReadOnlyInline
from scoring.admin.columns import column
from scoring.models import (
    Forecast,
    ForecastSkill,
    ModelArtifact,
    ModelSwitch,
    ModelVersion,
)
from scoring.selectors.live_skill import WeekOfSkill, list_skill_by_week
from scoring.services.registry.promotion import challenge, promote, retire, roll_back

TREND_HEADINGS = (
    *("week", "horizon", "forecasts", "events"),
    *("gain, nats an event", "Brier score", "N-tests failed"),
)


@admin.register(Forecast)
class ForecastAdmin(ReadOnlyAdmin[Forecast]):
    paginator = EstimatedCountPaginator
    list_display = (
        *("region", "model_version", "issued_for", "horizon_sec"),
        *("expected_count", "event_count", "cell_count", "id"),
    )
    list_filter = ("region", "horizon_sec")
    list_select_related = ("region", "model_version")
    date_hierarchy = "issued_for"


class ModelArtifactInline(ReadOnlyInline[ModelArtifact, ModelVersion]):
    model = ModelArtifact
    fields = ("horizon_sec", "digest")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelArtifact]:
        return super().get_queryset(request).defer("body")


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin[ModelVersion]):
    list_display = (
        *("__str__", "region", "state", "event_count"),
        column("scored_count", "scored forecasts"),
        *("trained_from", "trained_until", "created_at"),
    )
    list_filter = ("state", "region", "kind")
    list_select_related = ("region",)
    search_fields = ("=id", "region__slug", "kind")
    readonly_fields = ("trend",)
    inlines = (ModelArtifactInline,)
    actions = ("challenge", "promote", "roll_back", "retire")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        scored = Count("forecasts__skill")
        versions = super().get_queryset(request).annotate(scored_count=scored)
        return versions.defer("region__boundary")

    @admin.display(description="Skill by week")
    def trend(self, version: ModelVersion) -> SafeString | str:
        weeks = list_skill_by_week(version)
        if not weeks:
            return "No forecast has been scored yet."
        cells = "<td>{}</td>" * len(TREND_HEADINGS)
        return format_html(
            "<table><tr>{}</tr>{}</table>",
            format_html_join("", "<th>{}</th>", ((text,) for text in TREND_HEADINGS)),
            format_html_join("", f"<tr>{cells}</tr>", map(_trend_row, weeks)),
        )

    @admin.action(description="Make a challenger", permissions=["operate"])
    def challenge(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        self.change_each(request, queryset, challenge)

    @admin.action(description="Promote through the gate", permissions=["operate"])
    def promote(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        actor = request.user.get_username()
        self.change_each(request, queryset, lambda each: promote(each, actor=actor))

    @admin.action(
        description="Roll back to the champion before", permissions=["operate"]
    )
    def roll_back(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        actor = request.user.get_username()
        self.change_each(request, queryset, lambda each: roll_back(each, actor=actor))

    @admin.action(description="Retire", permissions=["operate"])
    def retire(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        self.change_each(request, queryset, retire)


@admin.register(ModelSwitch)
class ModelSwitchAdmin(ReadOnlyAdmin[ModelSwitch]):
    list_display = ("switched_at", "region", "before", "after", "reason", "actor")
    list_filter = ("reason", "region")
    list_select_related = ("region", "before", "after")
    date_hierarchy = "switched_at"


@admin.register(ForecastSkill)
class ForecastSkillAdmin(ReadOnlyAdmin[ForecastSkill]):
    paginator = EstimatedCountPaginator
    list_display = (
        *("forecast", column("forecast.model_version", "model version")),
        column("forecast.is_shadow", "is shadow", shown=bool),
        *("observed_count", "gain", "brier_score"),
        *("n_test_low", "n_test_high", "scored_at"),
    )
    list_filter = ("forecast__region", "forecast__horizon_sec", "forecast__is_shadow")
    list_select_related = ("forecast__model_version",)


def _trend_row(week: WeekOfSkill) -> tuple[str, ...]:
    figures = week.figures
    gain = "" if figures.gain is None else f"{figures.gain:+.3f}"
    return (
        f"{week.week:%Y-%m-%d}",
        f"{figures.horizon_sec // 3_600} h",
        str(figures.forecast_count),
        str(figures.event_count),
        gain,
        f"{figures.brier_score:.4f}",
        str(figures.n_test_failures),
    )
