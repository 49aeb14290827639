"""The performance kit as a Django app; it knows no domain."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from perf.cache import versions
from riskplatform.kernel import changes


class PerfConfig(AppConfig):
    name = "perf"
    verbose_name = "Performance"

    def ready(self) -> None:
        changes.listen(versions.hear)
        # By its name, because models cannot be imported before all apps are there.
        import_string("perf.cache.assembly.hear_changes")()
