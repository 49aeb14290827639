"""Vulnerabilities: staff make those that all organisations share."""

from typing import Any, TypedDict

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django_stubs_ext import WithAnnotations

from riskplatform.kernel.errors import InvalidInputError
from scoring.models import Vulnerability
from scoring.services.portfolios.portfolios import check_points


class VulnerabilitySummary(TypedDict):
    asset_count: int


class VulnerabilityForm(forms.ModelForm[Vulnerability]):
    class Meta:
        model = Vulnerability
        fields = ("organisation", "slug", "name", "points")

    def clean_points(self) -> list[list[float]]:
        points: Any = self.cleaned_data["points"]
        try:
            pairs = [(float(severity), float(ratio)) for severity, ratio in points]
            check_points(pairs)
        except (TypeError, ValueError) as error:
            raise forms.ValidationError(
                "Write [[severity, damage ratio], …] in numbers."
            ) from error
        except InvalidInputError as error:
            raise forms.ValidationError(error.message) from error
        return [list(pair) for pair in pairs]


@admin.register(Vulnerability)
class VulnerabilityAdmin(admin.ModelAdmin[Vulnerability]):
    form = VulnerabilityForm
    list_display = ("slug", "name", "organisation", "point_count", "assets")
    list_filter = ("organisation",)
    list_select_related = ("organisation",)
    search_fields = ("slug", "name")
    autocomplete_fields = ("organisation",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vulnerability]:
        return super().get_queryset(request).annotate(asset_count=Count("assets"))

    def get_readonly_fields(
        self, request: HttpRequest, obj: Vulnerability | None = None
    ) -> tuple[str, ...]:
        # Assessments depend on the curve: another curve is another vulnerability.
        return () if obj is None else ("organisation", "slug", "points")

    @admin.display(description="points")
    def point_count(self, vulnerability: Vulnerability) -> int:
        return len(vulnerability.points)

    @admin.display(ordering="asset_count")
    def assets(
        self, vulnerability: "WithAnnotations[Vulnerability, VulnerabilitySummary]"
    ) -> int:
        return vulnerability.asset_count
