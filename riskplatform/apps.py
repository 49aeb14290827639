"""The composition root as a Django app: its commands and templates are found here."""

from django.apps import AppConfig

from riskplatform.api.error_log import listen_for_errors
from riskplatform.api.structured_log import configure_events


class RiskplatformConfig(AppConfig):
    name = "riskplatform"
    verbose_name = "riskplatform"

    def ready(self) -> None:
        listen_for_errors()
        configure_events()
