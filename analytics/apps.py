"""Registers the application: events in ClickHouse and how they get there."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    label = "analytics"
    verbose_name = "Events, imports and the ledger"
