"""The composition root as a Django app: its commands and templates are found here."""

from django.apps import AppConfig


class RiskplatformConfig(AppConfig):
    name = "riskplatform"
    verbose_name = "riskplatform"
