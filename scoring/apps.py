from django.apps import AppConfig
from django.utils.module_loading import import_string

from analytics.placement import register_directory


class ScoringConfig(AppConfig):
    name = "scoring"
    verbose_name = "Forecasts, portfolios and alerts"

    def ready(self) -> None:
        # By its name, because models cannot be imported before all apps are there.
        directory = import_string("scoring.selectors.placement.StoredRegions")
        register_directory(directory())
