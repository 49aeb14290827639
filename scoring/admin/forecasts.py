"""Published forecasts."""

from django.contrib import admin

from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin
from scoring.models import Forecast


@admin.register(Forecast)
class ForecastAdmin(ReadOnlyAdmin[Forecast]):
    paginator = EstimatedCountPaginator
    list_display = (
        "region",
        "model_version",
        "issued_for",
        "horizon_sec",
        "expected_count",
        "event_count",
        "cell_count",
        "id",
    )
    list_filter = ("region", "horizon_sec")
    list_select_related = ("region", "model_version")
    date_hierarchy = "issued_for"
