"""Makes unit tests of rules for promtool: series that are bad, and what has to fire."""

from collections.abc import Iterator, Mapping
from typing import Any

from perf.monitoring.described import Alert
from perf.slo.burn_rates import PAGE, TICKET, possible
from perf.slo.indicators import Condition, Latency, Ratio, Series
from perf.slo.objectives import Objective

MINUTES = 90
EVENTS_A_MINUTE = 1_000_000
SOMETHING = "something"
InputSeries = list[dict[str, str]]
Group = dict[str, Any]


def written(metric: str, labels: Mapping[str, str]) -> str:
    matchers = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return f"{metric}{{{matchers}}}" if matchers else metric


def counter(metric: str, labels: Mapping[str, str], a_minute: float) -> dict[str, str]:
    values = f"0+{a_minute:.0f}x{MINUTES}"
    return {"series": written(metric, labels), "values": values}


def gauge(metric: str, labels: Mapping[str, str], value: float) -> dict[str, str]:
    return {"series": written(metric, labels), "values": f"{value:g}x{MINUTES}"}


def labels_of(objective: Objective) -> dict[str, str]:
    """Give the labels by which its alert says what is wrong."""
    indicator = objective.indicator
    match indicator:
        case Ratio():
            known = _some(indicator.bad)
        case Latency():
            known = {name: values[0] for name, values in indicator.labels.items()}
        case Condition():
            known = {}
    return {name: known.get(name, SOMETHING) for name in indicator.by}


def series_of(objective: Objective, bad_ratio: float) -> InputSeries:
    """Have a share of the events be bad, or a gauge be bad all the time or never."""
    indicator, by = objective.indicator, labels_of(objective)
    bad = EVENTS_A_MINUTE * bad_ratio
    good = EVENTS_A_MINUTE - bad
    match indicator:
        case Ratio():
            labels = {**_some(indicator.bad), **by}
            fine = {
                name: value
                if name in indicator.total.labels or name in by
                else SOMETHING
                for name, value in labels.items()
            }
            metric = indicator.bad.metric
            return [counter(metric, labels, bad), counter(metric, fine, good)]
        case Latency():
            labels = {**_some(indicator.total), **by}
            within = {**labels, "le": _some(indicator.good)["le"]}
            return [
                counter(indicator.good.metric, within, good),
                counter(indicator.total.metric, labels, EVENTS_A_MINUTE),
            ]
        case Condition():
            far = indicator.limit * (2.0 if indicator.is_floor != (bad > 0) else 0.5)
            return [gauge(indicator.gauge, by, far)]


def _some(series: Series) -> dict[str, str]:
    return {name: values[0] for name, values in series.labels.items()}


def budget_group(
    objective: Objective,
    bad_ratio: float,
    severities: tuple[str, ...],
    *,
    minutes: int = MINUTES - 10,
) -> Group:
    expected = [_firing(objective, bad_ratio, severity) for severity in severities]
    return {
        "interval": "1m",
        "name": f"{objective.name} at {bad_ratio:g}",
        "input_series": series_of(objective, bad_ratio),
        "alert_rule_test": [
            {
                "eval_time": f"{minutes}m",
                "alertname": objective.alert,
                "exp_alerts": expected,
            }
        ],
    }


def _firing(objective: Objective, bad_ratio: float, severity: str) -> Group:
    labels = labels_of(objective)
    where = "".join(f", {name} {value}" for name, value in labels.items())
    return {
        "exp_labels": {
            "severity": severity,
            "owner": objective.owner.value,
            "slo": objective.name,
            **labels,
        },
        "exp_annotations": {
            "summary": f"{objective.name}: the error budget burns{where}",
            "description": (
                f"Promised: {objective.promise}. "
                f"Bad in the long window: {100 * bad_ratio:.4g}%."
            ),
            "runbook": f"docs/runbooks/{objective.alert}.md",
        },
    }


def budget_groups(objective: Objective) -> Iterator[Group]:
    """Give a fault, a slow loss where there can be one, and health."""
    budget, pages = objective.budget, objective.pages
    fault = tuple(
        severity
        for severity in (PAGE, TICKET)
        if possible(budget, severity=severity, pages=pages)
    )
    yield budget_group(objective, 1.0, fault)
    is_condition = isinstance(objective.indicator, Condition)
    if not is_condition and budget <= 0.1:
        yield budget_group(objective, 2 * budget, (TICKET,))
    yield budget_group(objective, 0.0 if is_condition else budget / 2, ())


def cause_groups(
    alert: Alert, *, fault: InputSeries, health: InputSeries, labels: dict[str, str]
) -> Iterator[Group]:
    summary = alert.summary
    for name, value in labels.items():
        summary = summary.replace(f"{{{{ $labels.{name} }}}}", value)
    firing = {
        "exp_labels": {"severity": alert.severity, **labels},
        "exp_annotations": {
            "summary": summary,
            "runbook": f"docs/runbooks/{alert.name}.md",
        },
    }
    for state, series, expected in (("bad", fault, [firing]), ("well", health, [])):
        yield {
            "interval": "1m",
            "name": f"{alert.name}, {state}",
            "input_series": series,
            "alert_rule_test": [
                {
                    "eval_time": f"{MINUTES - 10}m",
                    "alertname": alert.name,
                    "exp_alerts": expected,
                }
            ],
        }
