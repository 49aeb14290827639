"""Holds objectives against what was measured: how much of each budget is left."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from perf.slo.indicators import Growth
from perf.slo.objectives import Objective


class State(StrEnum):
    MET = "met"
    BROKEN = "broken"
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one objective stands, for one combination of labels such as a route.

    `bad_ratio` is None where nothing happened.
    """

    objective: Objective
    labels: Mapping[str, str]
    bad_ratio: float | None

    @property
    def budget_left(self) -> float | None:
        """Return the share of the budget that is left, negative where it is broken."""
        if self.bad_ratio is None:
            return None
        return 1.0 - self.bad_ratio / self.objective.budget

    @property
    def state(self) -> State:
        if self.bad_ratio is None:
            return State.NO_DATA
        # Ratios of counts are never as exact as the budget.
        is_met = self.bad_ratio <= self.objective.budget * (1 + 1e-9)
        return State.MET if is_met else State.BROKEN


def judge(
    objective: Objective, measured: Iterable[tuple[Mapping[str, str], float]]
) -> Iterator[Verdict]:
    """Give a verdict for each ratio, or one that nothing is known."""
    is_known = False
    for labels, ratio in measured:
        is_known = True
        yield Verdict(objective=objective, labels=labels, bad_ratio=ratio)
    if not is_known:
        yield Verdict(objective=objective, labels={}, bad_ratio=None)


def judge_run(objectives: Iterable[Objective], growth: Growth) -> list[Verdict]:
    """Judge by how counters grew during a run; gauges say nothing there."""
    return [
        verdict
        for objective in objectives
        for verdict in judge(objective, _measured(objective, growth))
    ]


def _measured(
    objective: Objective, growth: Growth
) -> Iterator[tuple[Mapping[str, str], float]]:
    indicator = objective.indicator
    for key, (bad, total) in sorted(indicator.counted(growth).items()):
        yield dict(zip(indicator.by, key, strict=True)), bad / total


def describe(verdict: Verdict) -> str:
    """Say in a line how an objective stands."""
    objective = verdict.objective
    of = "".join(f" {name}={value}" for name, value in verdict.labels.items())
    if verdict.bad_ratio is None or verdict.budget_left is None:
        return f"{objective.name}: {objective.promise}"
    return (
        f"{objective.name}{of}: {100 * verdict.bad_ratio:.4g} % bad of "
        f"{100 * objective.budget:.4g} %, {100 * verdict.budget_left:.0f} % of the "
        "budget left"
    )
