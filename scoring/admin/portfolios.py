"""Portfolios, assets and assessments; every write goes through the services.

Vulnerabilities that all organisations share are made here.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from typing_extensions import override

from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin, ReadOnlyInline
from riskplatform.kernel.errors import InvalidInputError
from scoring.admin.columns import column
from scoring.models import Assessment, Asset, AssetPlace, Portfolio, Vulnerability
from scoring.services.portfolios.asset_rows import place_again
from scoring.services.portfolios.portfolios import (
    check_points,
    create_asset,
    delete_asset,
    delete_portfolio,
    update_asset,
    update_portfolio,
)

TOTALS = ("asset_count", "total_value", "outside_count", "outside_value")


@admin.register(Portfolio)
class PortfolioAdmin(admin.ModelAdmin[Portfolio]):
    list_display = (
        *("name", "organisation", "currency", *TOTALS),
        *("revision", "updated_at", "assets_link"),
    )
    list_filter = ("currency", "organisation")
    list_select_related = ("organisation",)
    search_fields = ("name", "organisation__slug")
    autocomplete_fields = ("organisation",)
    readonly_fields = (*TOTALS, "revision", "created_at", "updated_at")
    show_full_result_count = False
    actions = ("find_places_again",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Portfolio | None = None
    ) -> tuple[str, ...]:
        # Another currency would silently turn the values into other amounts.
        fixed = () if obj is None else ("organisation", "currency", "assets_link")
        return (*fixed, *self.readonly_fields)

    @override
    def save_model(
        self,
        request: HttpRequest,
        obj: Portfolio,
        form: "forms.ModelForm[Portfolio]",
        change: bool,
    ) -> None:
        if change:
            update_portfolio(obj, name=obj.name)
        else:
            super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Portfolio) -> None:
        delete_portfolio(obj)

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[Portfolio]
    ) -> None:
        for portfolio in queryset.select_related("organisation"):
            delete_portfolio(portfolio)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Say how much goes, without reading each of perhaps 100,000 assets."""
        portfolios = list(objs)
        lines = [f"{row.name}: {row.asset_count} assets" for row in portfolios]
        counts = {
            "portfolios": len(portfolios),
            "assets": sum(row.asset_count for row in portfolios),
        }
        return lines, counts, set(), []

    @admin.display(description="assets")
    def assets_link(self, portfolio: Portfolio) -> SafeString:
        address = reverse("admin:scoring_asset_changelist")
        return format_html(
            '<a href="{}?portfolio__id__exact={}">Show</a>', address, portfolio.pk
        )

    @admin.action(
        description="Find the places of all assets again", permissions=["change"]
    )
    def find_places_again(
        self, request: HttpRequest, chosen: QuerySet[Portfolio]
    ) -> None:
        outside = sum(place_again(portfolio) for portfolio in chosen)
        self.message_user(request, f"Done; {outside} assets lie outside every region.")


class AssetPlaceInline(ReadOnlyInline[AssetPlace, Asset]):
    model = AssetPlace
    fields = ("region", "cell_hex")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AssetPlace]:
        return super().get_queryset(request).select_related("region")

    @admin.display(description="cell")
    def cell_hex(self, place: AssetPlace) -> str:
        return f"{place.h3:x}"


@admin.register(Asset)
class AssetAdmin(admin.ModelAdmin[Asset]):
    paginator = EstimatedCountPaginator
    list_display = (
        *("reference", "name", "portfolio", "lat", "lon", "value"),
        *("deductible", "limit", "vulnerability"),
        column("place_count", "in a region", shown=bool),
    )
    list_select_related = ("portfolio", "vulnerability")
    list_filter = ("portfolio__currency",)
    search_fields = ("reference", "name", "portfolio__name")
    autocomplete_fields = ("portfolio", "vulnerability")
    readonly_fields = ("ignored_terms", "updated_at")
    inlines = (AssetPlaceInline,)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Asset]:
        return super().get_queryset(request).annotate(place_count=Count("places"))

    def get_readonly_fields(
        self, request: HttpRequest, obj: Asset | None = None
    ) -> tuple[str, ...]:
        fixed = () if obj is None else ("portfolio", "reference")
        return (*fixed, *self.readonly_fields)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        is_portfolio = lookup == "portfolio__id__exact"
        return is_portfolio or super().lookup_allowed(lookup, value, request)

    @override
    def save_model(
        self,
        request: HttpRequest,
        obj: Asset,
        form: "forms.ModelForm[Asset]",
        change: bool,
    ) -> None:
        values = {
            name: value
            for name, value in form.cleaned_data.items()
            if name != "portfolio"
        }
        if change:
            update_asset(Asset.objects.get(pk=obj.pk), values=values)
        else:
            obj.pk = create_asset(obj.portfolio, values={"id": obj.pk, **values}).pk

    def delete_model(self, request: HttpRequest, obj: Asset) -> None:
        delete_asset(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Asset]) -> None:
        for asset in queryset.select_related("portfolio__organisation"):
            delete_asset(asset)


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
    list_display = (
        *("slug", "name", "organisation"),
        column("points", "points", shown=len),
        column("asset_count", "assets"),
    )
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


@admin.register(Assessment)
class AssessmentAdmin(ReadOnlyAdmin[Assessment]):
    paginator = EstimatedCountPaginator
    list_display = (
        *("portfolio", "portfolio_revision"),
        column("forecast.region.slug", "region"),
        column("forecast.model_version", "model version"),
        column("forecast.issued_for", "issued for"),
        column("forecast.horizon_sec", "horizon [s]"),
        *("risk_score", "expected_loss", column("portfolio.currency", "currency")),
        *("created_at", "id"),
    )
    list_filter = ("forecast__region", "forecast__horizon_sec")
    list_select_related = (
        *("portfolio", "forecast__region", "forecast__model_version"),
    )
    search_fields = ("=id", "=forecast__id", "portfolio__name")
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assessment]:
        assessments = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name == "scoring_assessment_changelist":
            return assessments.defer("figures", "forecast__region__boundary")
        return assessments
