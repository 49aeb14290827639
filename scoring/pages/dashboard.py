"""The page of a region: its newest forecasts on a map."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analytics.errors import RegionNotFoundError
from riskplatform.api.keys.access import find_access
from scoring.horizons import horizon_label
from scoring.models import Forecast
from scoring.selectors.forecasts import list_latest_forecasts
from scoring.selectors.regions import get_region, list_regions

OF_REGION = ("slug", "name", "timezone", "source_credit", "source_url")


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show the newest forecasts of one region on a map."""
    access = find_access(request)
    regions = list(list_regions(access).values("slug", "name"))
    slug = request.GET.get("region") or (regions[0]["slug"] if regions else None)
    try:
        region = None if slug is None else get_region(slug, access=access)
    except RegionNotFoundError as error:
        # It may be private: who signs in may see it.
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        raise Http404(error.message) from error
    context = {
        "regions": regions,
        "region": region and {name: getattr(region, name) for name in OF_REGION},
        "forecasts": []
        if region is None
        else list(map(_forecast_context, list_latest_forecasts(region))),
    }
    return render(request, "dashboard.html", context)


def _forecast_context(forecast: Forecast) -> dict[str, Any]:
    return {
        "horizon_sec": forecast.horizon_sec,
        "label": horizon_label(forecast.horizon_sec),
        "issued_for": forecast.issued_for.isoformat(),
        "valid_until": forecast.valid_until.isoformat(),
        "model_version": str(forecast.model_version),
        "event_count": forecast.event_count,
        "cell_count": forecast.cell_count,
        "expected_count": forecast.expected_count,
        "backtest": forecast.model_version.skill.get(str(forecast.horizon_sec)),
    }
