"""How much of what can be known the served model finds, where the truth is known."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import h3.api.numpy_int as h3

from scoring.engine.grid import build_grid
from scoring.engine.synthetic import OracleShare, generate_truth, share_of_oracle
from scoring.engine.uncertainty import Interval
from scoring.evaluation.backtests.running import SERVED_KIND
from scoring.evaluation.skill.targets import Finding

CENTRE: Final = (41.85, -87.68)
RESOLUTION: Final = 8
SMALLEST_SHARE: Final = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthPlan:
    """How many made-up records, and how large each is."""

    n_truths: int = 3
    rings: int = 8
    n_days: int = 1_500
    n_test_days: int = 300
    events_per_day: float = 15.0


FULL: Final = TruthPlan()
QUICK: Final = TruthPlan(n_truths=1, rings=2, n_days=300, n_test_days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthSkill:
    """What was reached on each made-up record."""

    plan: TruthPlan
    n_cells: int
    shares: tuple[OracleShare, ...]

    @property
    def finding(self) -> Finding:
        """Mean share over the records, with the lowest and the highest."""
        values = [each.share for each in self.shares]
        found = Interval(value=fmean(values), low=min(values), high=max(values))
        return Finding(
            figure="share of the oracle's gain on synthetic truth (lowest to highest)",
            target=f"≥ {SMALLEST_SHARE}",
            found=found,
            is_met=found.value >= SMALLEST_SHARE,
            note=f"{len(values)} records made from different seeds",
        )


def measure_truth(plan: TruthPlan, *, progress: Callable[[str], None]) -> TruthSkill:
    """Compare the served model with the intensity that the events were drawn from."""
    centre = h3.latlng_to_cell(*CENTRE, RESOLUTION)
    grid = build_grid(h3.grid_disk(centre, plan.rings))

    def shares() -> Iterator[OracleShare]:
        for seed in range(plan.n_truths):
            progress(f"synthetic truth [{seed + 1}/{plan.n_truths}]")
            truth = generate_truth(
                grid,
                n_days=plan.n_days,
                events_per_day=plan.events_per_day,
                seed=seed,
            )
            yield share_of_oracle(
                truth, grid, n_test_days=plan.n_test_days, kind=SERVED_KIND
            )

    return TruthSkill(plan=plan, n_cells=len(grid), shares=tuple(shares()))
