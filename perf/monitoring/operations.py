"""What operators see at once: objectives, charts of the last hours, what is broken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from perf.jobs.models import Job, PeriodicRun
from perf.monitoring.charts import all_charts
from perf.monitoring.models import MetricReading
from perf.monitoring.readings import EVERY_S, KEPT
from perf.slo.burn_rates import BURN_RATES, TICKET, BurnRate, seconds_of
from perf.slo.judging import State, Verdict, judge
from perf.slo.objectives import Objective, all_objectives

SHOWN_FAILURES: Final = 10
# A reading may come late, and still be the newest there should be.
FRESH_S: Final = 3 * EVERY_S
# Windows longer than the readings go back are for Prometheus.
RATES: Final = tuple(
    rate for rate in BURN_RATES if seconds_of(rate.long) <= KEPT.total_seconds()
)
WHOLE, NOW = f"{KEPT // timedelta(hours=1)}h", "5m"
WINDOWS: Final = {
    window: seconds_of(window)
    for window in {WHOLE, NOW}.union(*((rate.long, rate.short) for rate in RATES))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveState:
    """The verdict over the kept hours, and the fastest rate its budget burns at.

    `burning` is the rate of an alert that both of its windows exceed.
    """

    verdict: Verdict
    burn_rate: float | None
    burning: BurnRate | None

    @property
    def bad(self) -> str:
        return f"{100 * (self.verdict.bad_ratio or 0.0):.3g} %"

    @property
    def budget(self) -> str:
        return f"{100 * self.verdict.objective.budget:.3g} %"

    @property
    def left(self) -> str:
        return f"{100 * (self.verdict.budget_left or 0.0):.0f} %"

    @property
    def severity(self) -> str:
        if self.burning is None:
            return ""
        return self.burning.severity if self.verdict.objective.pages else TICKET


def list_readings() -> Sequence[MetricReading]:
    since = timezone.now() - KEPT
    return list(MetricReading.objects.filter(at__gte=since).defer("samples"))


def is_fresh(readings: Sequence[MetricReading]) -> bool:
    """Return whether somebody reads the metrics."""
    if not readings:
        return False
    return timezone.now() - readings[-1].at <= timedelta(seconds=FRESH_S)


def objective_states(readings: Sequence[MetricReading]) -> list[ObjectiveState]:
    """Judge all objectives: those that burn first, then by the budget that is left."""
    now = timezone.now()
    states = [
        state
        for objective in all_objectives()
        for state in _states_of(objective, readings, now)
    ]
    return sorted(states, key=_urgency)


def chart_data(readings: Sequence[MetricReading]) -> dict[str, Any]:
    """Give the times in seconds since 1970, and for each chart its lines."""
    charts = []
    for title, chart in all_charts().items():
        rows = [reading.points.get(title, {}) for reading in readings]
        names = sorted({name for row in rows for name in row})
        lines = [
            {"name": name, "values": [row.get(name) for row in rows]} for name in names
        ]
        charts.append({"title": title, "unit": chart.unit, "lines": lines})
    return {"at": [int(it.at.timestamp()) for it in readings], "charts": charts}


def failed_jobs() -> list[Job]:
    failed = Job.objects.filter(state=Job.State.FAILED).order_by("-finished_at")
    return list(failed.only("kind", "error", "finished_at")[:SHOWN_FAILURES])


def failing_work() -> list[PeriodicRun]:
    return list(PeriodicRun.objects.exclude(error="").order_by("name"))


def _states_of(
    objective: Objective, readings: Sequence[MetricReading], now: datetime
) -> Iterator[ObjectiveState]:
    by = objective.indicator.by
    ratios = {
        window: _ratios(objective, readings, since=now - timedelta(seconds=seconds))
        for window, seconds in WINDOWS.items()
    }
    measured = [
        (dict(zip(by, key, strict=True)), ratio) for key, ratio in ratios[WHOLE].items()
    ]
    for verdict in judge(objective, measured):
        key = tuple(verdict.labels.get(label, "") for label in by)
        burns = {
            window: known[key] / objective.budget
            for window, known in ratios.items()
            if key in known
        }
        # An alert needs both of its windows.
        burning = [
            rate
            for rate in RATES
            if min(burns.get(rate.long, 0.0), burns.get(rate.short, 0.0)) > rate.factor
        ]
        yield ObjectiveState(
            verdict=verdict,
            burn_rate=burns.get(NOW),
            burning=burning[0] if burning else None,
        )


def _ratios(
    objective: Objective, readings: Sequence[MetricReading], *, since: datetime
) -> dict[tuple[str, ...], float]:
    """Give the bad share of what was counted since then, by the values of labels."""
    sums: dict[tuple[str, ...], tuple[float, float]] = {}
    for reading in reversed(readings):
        if reading.at < since:
            break
        for labels, bad, total in reading.counts.get(objective.name, ()):
            key = tuple(labels)
            before = sums.get(key, (0.0, 0.0))
            sums[key] = (before[0] + bad, before[1] + total)
    return {key: bad / total for key, (bad, total) in sums.items() if total > 0}


def _urgency(state: ObjectiveState) -> tuple[bool, bool, float, str]:
    verdict = state.verdict
    left = verdict.budget_left
    return (
        state.burning is None,
        verdict.state is State.NO_DATA,
        1.0 if left is None else left,
        verdict.objective.name,
    )
