"""Assessments of portfolios."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin
from scoring.models import Assessment


@admin.register(Assessment)
class AssessmentAdmin(ReadOnlyAdmin[Assessment]):
    paginator = EstimatedCountPaginator
    list_display = (
        "portfolio",
        "portfolio_revision",
        "region",
        "model_version",
        "issued_for",
        "horizon_sec",
        "risk_score",
        "expected_loss",
        "currency",
        "created_at",
        "id",
    )
    list_filter = ("forecast__region", "forecast__horizon_sec")
    list_select_related = (
        "portfolio",
        "forecast__region",
        "forecast__model_version",
    )
    search_fields = ("=id", "=forecast__id", "portfolio__name")
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assessment]:
        assessments = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name == "scoring_assessment_changelist":
            return assessments.defer("figures", "forecast__region__boundary")
        return assessments

    @admin.display(ordering="forecast__region__slug")
    def region(self, assessment: Assessment) -> str:
        return assessment.forecast.region.slug

    @admin.display()
    def model_version(self, assessment: Assessment) -> str:
        return str(assessment.forecast.model_version)

    @admin.display(ordering="forecast__issued_for")
    def issued_for(self, assessment: Assessment) -> str:
        return f"{assessment.forecast.issued_for:%Y-%m-%d %H:%M}"

    @admin.display(description="horizon [s]", ordering="forecast__horizon_sec")
    def horizon_sec(self, assessment: Assessment) -> int:
        return assessment.forecast.horizon_sec

    @admin.display(ordering="portfolio__currency")
    def currency(self, assessment: Assessment) -> str:
        return assessment.portfolio.currency
