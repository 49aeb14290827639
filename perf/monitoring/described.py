"""What apps register to be generated: alerts beside those of objectives, dashboards."""

from dataclasses import dataclass

from django.utils.module_loading import autodiscover_modules

from perf.slo.burn_rates import PAGE, TICKET
from perf.slo.objectives import MODULE, Runbook

__all__ = ["PAGE", "TICKET", "Alert", "Dashboard", "Panel", "Query"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A condition in PromQL that is wrong by itself, whatever budgets say."""

    name: str
    expr: str
    lasts: str
    severity: str
    summary: str
    runbook: Runbook


@dataclass(frozen=True, slots=True)
class Query:
    """A line of a panel; `legend` has labels in double braces."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A plot over time; `unit` is one of Grafana's, such as `s`, `reqps` or `bytes`."""

    title: str
    unit: str
    queries: tuple[Query, ...]
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A page of panels; `name` is its address."""

    name: str
    title: str
    panels: tuple[Panel, ...]


_alerts: dict[str, Alert] = {}
_dashboards: dict[str, Dashboard] = {}


def register_alerts(*alerts: Alert) -> None:
    for alert in alerts:
        if _alerts.setdefault(alert.name, alert) != alert:
            raise ValueError(f"There are two alerts {alert.name!r}.")


def register_dashboards(*dashboards: Dashboard) -> None:
    for dashboard in dashboards:
        if _dashboards.setdefault(dashboard.name, dashboard) != dashboard:
            raise ValueError(f"There are two dashboards {dashboard.name!r}.")


def all_alerts() -> tuple[Alert, ...]:
    autodiscover_modules(MODULE)
    return tuple(sorted(_alerts.values(), key=lambda each: each.name))


def all_dashboards() -> tuple[Dashboard, ...]:
    autodiscover_modules(MODULE)
    return tuple(sorted(_dashboards.values(), key=lambda each: each.name))
