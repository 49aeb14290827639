"""Recording and alerting rules of Prometheus, named as Sloth names them."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from perf.monitoring.described import Alert, all_alerts
from perf.slo.burn_rates import BURN_RATES, PAGE, TICKET, possible, seconds_of
from perf.slo.indicators import SHORTEST, Condition
from perf.slo.objectives import Objective, all_objectives

RATIO: Final = "slo:sli_error:ratio_rate"
REMAINING: Final = "slo:period_error_budget_remaining:ratio"
# Where the pages of alerts are, for who has them at hand.
RUNBOOKS: Final = "docs/runbooks"
WINDOWS: Final = sorted(
    {rate.short for rate in BURN_RATES} | {rate.long for rate in BURN_RATES},
    key=seconds_of,
)
Rule = dict[str, Any]


def recording_rules() -> Rule:
    """Give one group an objective: bad ratios by window, and what is left."""
    return {"groups": [_recordings(objective) for objective in all_objectives()]}


def alert_rules() -> Rule:
    burns = [rule for each in all_objectives() for rule in _burn_alerts(each)]
    others = [_alert(alert) for alert in all_alerts()]
    return {
        "groups": [
            {"name": "riskplatform-budgets", "rules": burns},
            {"name": "riskplatform-causes", "rules": others},
        ]
    }


def metrics_recorded() -> frozenset[str]:
    """Name the series that recording rules make."""
    groups = recording_rules()["groups"]
    return frozenset(rule["record"] for group in groups for rule in group["rules"])


def _recordings(objective: Objective) -> Rule:
    return {
        "name": f"riskplatform-slo-{objective.name}",
        "rules": [*_ratios(objective), *_budgets(objective)],
    }


def _ratios(objective: Objective) -> Iterator[Rule]:
    short = f"{RATIO}{SHORTEST}{_selector(objective)}"
    is_condition = isinstance(objective.indicator, Condition)
    for window in WINDOWS:
        expr = objective.indicator.bad_ratio(window)
        if is_condition and window != SHORTEST:
            # A gauge is looked at once, and not minute by minute for three days.
            expr = f"avg_over_time({short}[{window}])"
        yield _record(f"{RATIO}{window}", expr, objective)
    # Of what is recorded, because 30 days of raw series are many samples.
    expr = f"avg_over_time({short}[{objective.window}])"
    yield _record(f"{RATIO}{objective.window}", expr, objective)


def _budgets(objective: Objective) -> Iterator[Rule]:
    selector = _selector(objective)
    yield _record("slo:objective:ratio", f"vector({objective.target:g})", objective)
    yield _record("slo:error_budget:ratio", f"vector({objective.budget:g})", objective)
    yield _record(
        "slo:current_burn_rate:ratio",
        f"{RATIO}{SHORTEST}{selector} / {objective.budget:g}",
        objective,
    )
    yield _record(
        REMAINING,
        f"1 - {RATIO}{objective.window}{selector} / {objective.budget:g}",
        objective,
    )


def _record(name: str, expr: str, objective: Objective) -> Rule:
    return {"record": name, "expr": expr, "labels": {"slo": objective.name}}


def _burn_alerts(objective: Objective) -> Iterator[Rule]:
    for severity in (PAGE, TICKET):
        rates = possible(objective.budget, severity=severity, pages=objective.pages)
        if not rates:
            continue
        selector = _selector(objective)
        conditions = [
            f"({RATIO}{rate.long}{selector} > {limit}"
            f" and {RATIO}{rate.short}{selector} > {limit})"
            for rate in rates
            for limit in (f"{rate.factor * objective.budget:.6g}",)
        ]
        yield {
            "alert": objective.alert,
            "expr": "\nor ".join(conditions),
            "labels": {"severity": severity, "owner": objective.owner.value},
            "annotations": {
                "summary": f"{objective.name}: the error budget burns{_of(objective)}",
                "description": f"Promised: {objective.promise}. "
                "Bad in the long window: {{ $value | humanizePercentage }}.",
                "runbook": f"{RUNBOOKS}/{objective.alert}.md",
            },
        }


def _alert(alert: Alert) -> Rule:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.lasts,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "runbook": f"{RUNBOOKS}/{alert.name}.md",
        },
    }


def _selector(objective: Objective) -> str:
    return f'{{slo="{objective.name}"}}'


def _of(objective: Objective) -> str:
    return "".join(
        f", {name} {{{{ $labels.{name} }}}}" for name in objective.indicator.by
    )


def alert_names() -> Iterable[str]:
    yield from (objective.alert for objective in all_objectives())
    yield from (alert.name for alert in all_alerts())
