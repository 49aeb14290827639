"""The performance kit as a Django app; it knows no domain."""

from django.apps import AppConfig

from perf.statement_timeouts import watch_statements


class PerfConfig(AppConfig):
    name = "perf"
    verbose_name = "Performance"

    def ready(self) -> None:
        watch_statements()
