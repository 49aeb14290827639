"""The performance kit as a Django app; it knows no domain."""

from django.apps import AppConfig


class PerfConfig(AppConfig):
    name = "perf"
    verbose_name = "Performance"
