"""Every metric that the platform serves, from the metrics themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from django.utils.module_loading import autodiscover_modules
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from perf.django_metrics import ServedMetrics
from riskplatform.kernel.process_metrics import ProcessCollector

SUFFIXES: Final = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("_sum", "_count"),
    "gauge": ("",),
}
# Of django-prometheus: what counts only in one process, or what nobody uses here.
LEFT_OUT: Final = ("django_migrations_", "django_model_deletes")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFacts:
    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...]

    @property
    def served_names(self) -> tuple[str, ...]:
        """Name the series as Prometheus reads them."""
        return tuple(f"{self.name}{suffix}" for suffix in SUFFIXES[self.kind])

    @property
    def shown_name(self) -> str:
        return self.served_names[0] if self.kind == "counter" else self.name


def all_metrics() -> tuple[MetricFacts, ...]:
    """Give all metrics, by name."""
    _import_all()
    found = {facts.name: facts for facts in (*_registered(), *_of_processes())}
    return tuple(found[name] for name in sorted(found))


def series_names() -> frozenset[str]:
    return frozenset(name for facts in all_metrics() for name in facts.served_names)


def _import_all() -> None:
    autodiscover_modules("metrics", "tasks")
    for name in ("perf.jobs.metrics", "django_prometheus.cache.metrics"):
        import_module(name)
    ServedMetrics.get_instance()


def _registered() -> Iterator[MetricFacts]:
    # There is no public list of what is registered.
    for collector in list(REGISTRY._collector_to_names):  # noqa: SLF001
        if not isinstance(collector, MetricWrapperBase):
            continue
        for family in collector.describe():
            if family.name.startswith(LEFT_OUT):
                continue
            yield MetricFacts(
                name=family.name,
                kind=family.type,
                meaning=family.documentation,
                labels=tuple(collector._labelnames),  # noqa: SLF001
            )


def _of_processes() -> Iterator[MetricFacts]:
    labels = {"riskplatform_processes": ("process",)}
    for family in ProcessCollector().collect():
        yield MetricFacts(
            name=family.name,
            kind=family.type,
            meaning=family.documentation,
            labels=labels.get(family.name, ("process", "pid")),
        )
