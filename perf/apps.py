"""The performance kit as a Django app; it knows no domain."""

from django.apps import AppConfig

from perf.cache import versions
from riskplatform.kernel import changes


class PerfConfig(AppConfig):
    name = "perf"
    verbose_name = "Performance"

    def ready(self) -> None:
        changes.listen(versions.hear)
