"""Pages for people: the promises, what to do about alerts, and what metrics mean."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from perf.monitoring.described import all_alerts
from perf.monitoring.metric_list import all_metrics
from perf.slo.indicators import Condition
from perf.slo.objectives import Objective, Runbook, all_objectives

NOTE: Final = "Written by `manage.py export_monitoring` from the code; do not edit."
_SLA: Final = """# What is promised

{note}

Each promise is a share of requests, or of time, within a rolling window. What is left
of it until it is broken is its budget. `manage.py check_slo` says how much of each is
left; alerts fire when a budget burns so fast that it will not last
([monitoring.md](monitoring.md)).

| promise | share | window | budget | owner | objective, with its runbook |
|---|---|---|---|---|---|
{rows}

A request counts as an error when its status is 5xx, one that was refused for want of
capacity included; a 429 does not, because the caller is over the limit that it was
given. Critical routes are assess, features, dashboard, metrics, risk map with its
tiles, and score snapshots. Times run from when a request was read whole to when its
response was handed over; the network is not in them.
"""
_METRICS: Final = """# Metrics

{note}

[monitoring.md](monitoring.md) says where to read them. A histogram has series that end
in `_bucket`, `_sum` and `_count`. Metrics that begin with `django_` are those of
django-prometheus.

| metric | kind | labels | meaning |
|---|---|---|---|
{rows}
"""


def sla() -> str:
    """Write the promises as a table."""
    rows = [
        f"| {each.promise[0].upper()}{each.promise[1:]} | {_percent(each.target)} "
        f"| {each.window_days} days | {_budget(each)} | {each.owner} "
        f"| [`{each.name}`](runbooks/{each.alert}.md) |"
        for each in all_objectives()
    ]
    return _SLA.format(note=NOTE, rows="\n".join(rows))


def runbooks() -> dict[str, str]:
    """Give a page for each alert, by its name."""
    pages = {
        each.alert: _runbook(
            each.alert,
            f"*{each.promise[0].upper()}{each.promise[1:]}* (`{each.name}`, budget: "
            f"{_budget(each)} in {each.window_days} days, owner: {each.owner}).",
            each.runbook,
        )
        for each in all_objectives()
    }
    return pages | {
        each.name: _runbook(each.name, f"Severity: {each.severity}.", each.runbook)
        for each in all_alerts()
    }


def metrics() -> str:
    """Write the names, labels and meanings of all metrics."""
    return _METRICS.format(note=NOTE, rows="\n".join(_metric_rows()))


def _metric_rows() -> Iterator[str]:
    for facts in all_metrics():
        labels = ", ".join(f"`{label}`" for label in facts.labels)
        meaning = " ".join(facts.meaning.split()).replace("|", "\\|")
        yield f"| `{facts.shown_name}` | {facts.kind} | {labels} | {meaning} |"


def _runbook(name: str, about: str, runbook: Runbook) -> str:
    commands = "\n".join(runbook.commands)
    return (
        f"# {name}\n\n{NOTE}\n\n{about}\n\n## What it means\n\n{runbook.meaning}\n\n"
        f"## First three commands\n\n```\n{commands}\n```\n\n"
        f"## How to end it\n\n{runbook.ending}\n"
    )


def _percent(target: float) -> str:
    return f"{100 * target:.6g} %"


def _budget(objective: Objective) -> str:
    """Say how much may be bad, in numbers that one can picture."""
    part = Fraction(objective.budget).limit_denominator(100_000)
    share = f"{part.numerator} of {part.denominator:,}"
    if not isinstance(objective.indicator, Condition):
        return share
    return f"{share}, {objective.budget * objective.window_days * 24:.3g} hours"
