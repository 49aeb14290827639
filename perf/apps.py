"""The performance kit as a Django app; it knows no domain."""

from django.apps import AppConfig
from django.core.checks import Tags, register

from perf.cache.change_feed import feed
from perf.call_counting import count_statements
from perf.connections.capacity import check_connections_fit
from perf.connections.replicas import listen_for_writes
from perf.django_metrics import count_saved_rows
from perf.statement_timeouts import watch_statements
from riskplatform.kernel import changes


class PerfConfig(AppConfig):
    name = "perf"
    verbose_name = "Performance"

    def ready(self) -> None:
        changes.subscribe(feed.publish)
        register(check_connections_fit, Tags.database)
        listen_for_writes()
        watch_statements()
        count_statements()
        count_saved_rows()
