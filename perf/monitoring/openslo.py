"""The objectives in the format of OpenSLO, for tools that read it."""

from collections.abc import Iterator
from typing import Any, Final

from perf.slo.indicators import Condition, Latency, Ratio
from perf.slo.objectives import Objective, all_objectives

VERSION: Final = "openslo/v1"
SERVICE: Final = "riskplatform"
SOURCE: Final = "prometheus"


def documents() -> Iterator[dict[str, Any]]:
    """Give the documents of one YAML stream."""
    yield {
        "apiVersion": VERSION,
        "kind": "Service",
        "metadata": {"name": SERVICE, "displayName": "riskplatform"},
        "spec": {"description": "Calibrated risk forecasts per grid cell."},
    }
    for objective in all_objectives():
        yield _document(objective)


def _document(objective: Objective) -> dict[str, Any]:
    return {
        "apiVersion": VERSION,
        "kind": "SLO",
        "metadata": {"name": objective.name},
        "spec": {
            "description": objective.promise,
            "service": SERVICE,
            "indicator": {
                "metadata": {"name": objective.name},
                "spec": {"ratioMetric": _ratio(objective)},
            },
            "timeWindow": [{"duration": objective.window, "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": objective.name, "target": objective.target}],
        },
    }


def _ratio(objective: Objective) -> dict[str, Any]:
    indicator = objective.indicator
    match indicator:
        case Ratio():
            return {
                "counter": True,
                "bad": _query(str(indicator.bad)),
                "total": _query(str(indicator.total)),
            }
        case Latency():
            return {
                "counter": True,
                "good": _query(str(indicator.good)),
                "total": _query(str(indicator.total)),
            }
        case Condition():
            return {
                "counter": False,
                "bad": _query(indicator.violated),
                "total": _query(f"{indicator.gauge} >= bool -Inf"),
            }


def _query(expr: str) -> dict[str, Any]:
    return {"metricSource": {"type": SOURCE, "spec": {"query": expr}}}
