"""Registers organisations and their API keys."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class KeysConfig(AppConfig):
    name = "riskplatform.api.keys"
    label = "keys"
    verbose_name = "Organisations and their keys"

    def ready(self) -> None:
        # The schema finds how keys are shown once the module is imported.
        autodiscover_modules("schema")
