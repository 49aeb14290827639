"""Work the worker process does, through the durable queue."""

from django_tasks import task

from scoring.selectors.regions import get_region
from scoring.services.refreshing import refresh_forecasts


@task()
def refresh_region(slug: str) -> list[str]:
    """Fit the region anew and publish its forecasts; returns their ids."""
    refreshed = refresh_forecasts(get_region(slug))
    return [str(forecast.pk) for forecast in refreshed.forecasts]
