"""Rolling-origin back-test: forecasts as they would have been made, then scored."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from scoring.engine import skill
from scoring.engine.distributions import distribution_of
from scoring.engine.events import EventHistory
from scoring.engine.fitting import fit_on_window
from scoring.engine.forecast_tables import ForecastTable, forecast_tables
from scoring.engine.grid import Grid
from scoring.engine.resampling import Interval, ratio_interval
from scoring.engine.training import open_window

AREA_SHARES: Final = (0.005, 0.01, 0.05, 0.10)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSkill:
    """Figures of one model on the test block; see `skill` for directions."""

    kind: str
    hit_rate: dict[str, float]
    accuracy_index: dict[str, float]
    efficiency_index: dict[str, float]
    brier: float
    log_score: float
    calibration_error: float
    cell_coverage: float
    level_bias: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """Skill of every model and the gain of the first over each of the others.

    Attributes
    ----------
    models : tuple of ModelSkill
        The model under test first, then the baselines.
    information_gain : dict of str to Interval
        Per baseline: nats per event, with the block-bootstrap interval.
    """

    kind: str
    horizon_s: float
    n_origins: int
    n_events: int
    first_origin_s: float
    last_origin_s: float
    models: tuple[ModelSkill, ...]
    information_gain: dict[str, Interval]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPlan:
    """What to forecast and what to compare.

    Attributes
    ----------
    horizon_s : float
    n_origins : int
        Windows of the test block, at the end of the record, one after the other.
    timezone : str
    kind : str
        The model under test, of `models.registry.KINDS`.
    baselines : tuple of str
    """

    horizon_s: float
    n_origins: int
    timezone: str
    kind: str = "poisson_glm"
    baselines: tuple[str, ...] = ("long_run_count",)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The model under test and each baseline once."""
        return tuple(dict.fromkeys((self.kind, *self.baselines)))


def backtest(
    history: EventHistory,
    grid: Grid,
    *,
    plan: BacktestPlan,
    progress: Progress | None = None,
) -> BacktestReport:
    """Forecast the end of a record from what was known before, and score it.

    Every model is fitted once, on what was known when the test block begins, and
    recalibrates its level on the windows before each origin.

    Parameters
    ----------
    history : EventHistory
    grid : Grid
    plan : BacktestPlan
    progress : callable, optional
        Called with (kind, models done, models in all) before each model.
    """
    steps = np.arange(plan.n_origins, 0, -1, dtype=np.float64)
    origins_s = float(history.occurred_s[-1]) - plan.horizon_s * steps
    window = open_window(
        history,
        grid,
        horizon_s=plan.horizon_s,
        timezone=plan.timezone,
        until_s=float(origins_s[0]),
    )
    forecasters = []
    for done, kind in enumerate(plan.kinds):
        if progress is not None:
            progress(kind, done, len(plan.kinds))
        forecasters.append(fit_on_window(window, kind))
    return report_of(forecast_tables(forecasters, history, grid, origins_s), grid)


def report_of(tables: Sequence[ForecastTable], grid: Grid) -> BacktestReport:
    """Score forecasts of the same origins; the first table is the model under test."""
    tested = tables[0]
    return BacktestReport(
        kind=tested.kind,
        horizon_s=tested.horizon_s,
        n_origins=tested.origins_s.size,
        n_events=int(tested.observed.sum()),
        first_origin_s=float(tested.origins_s[0]),
        last_origin_s=float(tested.origins_s[-1]),
        models=tuple(skill_of(table, grid) for table in tables),
        information_gain={
            table.kind: gain_interval(tested, table) for table in tables[1:]
        },
    )


def skill_of(table: ForecastTable, grid: Grid) -> ModelSkill:
    """All figures of one model."""
    distribution = distribution_of(table.mean, table.alpha)
    events = max(float(table.observed.sum()), 1.0)
    log_score = skill.nb_log_score(table.mean, table.alpha, table.observed).sum()
    hits, efficiencies = (
        {
            f"{share:g}": figure(table.mean, table.observed, grid.area_km2, share=share)
            for share in AREA_SHARES
        }
        for figure in (skill.hit_rate, skill.efficiency)
    )
    return ModelSkill(
        kind=table.kind,
        hit_rate=hits,
        accuracy_index={share: hit / float(share) for share, hit in hits.items()},
        efficiency_index=efficiencies,
        brier=skill.brier_score(distribution.p_event, table.observed),
        log_score=float(log_score) / events,
        calibration_error=skill.calibration_error(distribution.p_event, table.observed),
        cell_coverage=skill.interval_coverage(table.observed, table.mean, table.alpha),
        level_bias=float(table.mean.sum()) / events,
    )


def gain_interval(tested: ForecastTable, reference: ForecastTable) -> Interval:
    """Information gain per event of one table over another, with its interval."""
    gain = skill.poisson_log_score(tested.mean, tested.observed)
    gain = gain - skill.poisson_log_score(reference.mean, reference.observed)
    return ratio_interval(gain.sum(axis=1), tested.observed.sum(axis=1))
