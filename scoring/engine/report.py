"""The figures of a back-test, ready for tables, plots and JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from scoring.engine import skill
from scoring.engine.arrays import Floats
from scoring.engine.blocks import in_blocks
from scoring.engine.distributions import event_probability
from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.grid import Grid
from scoring.engine.pass_shares import Consistency, consistency_of
from scoring.engine.scores import ranked_probability_score, transform_histogram
from scoring.engine.state import DAY_S
from scoring.engine.uncertainty import Interval, ratio_interval

AREA_SHARES: Final = (0.005, 0.01, 0.05, 0.10)
QUARTER_S: Final = 365.25 / 4 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Share of numbers inside their central 90 % interval; right is 0.9."""

    cell: float
    block: float
    region: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Equal-count bins of P(N >= 1), and the histogram of the transform."""

    forecast: tuple[float, ...]
    frequency: tuple[float, ...]
    share: tuple[float, ...]
    transform: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSkill:
    """Figures of one model on the test block; see `skill` for directions.

    Attributes
    ----------
    hit_rate, accuracy_index, efficiency_index : dict of str to float
        By flagged share of the area, such as "0.01".
    log_score : float
        Negative binomial, per event.
    dispersion_gain : float
        Log score over Poisson with the same means, nats per event.
    mean_alpha : float
        Dispersion where the events were.
    crps : float
        Per cell and window.
    level_bias : float
        Sum of forecasts over sum of observed numbers; by quarter below.
    """

    kind: str
    hit_rate: dict[str, float]
    accuracy_index: dict[str, float]
    efficiency_index: dict[str, float]
    brier: float
    log_score: float
    dispersion_gain: float
    mean_alpha: float
    crps: float
    calibration_error: float
    coverage: Coverage
    level_bias: float
    level_bias_by_quarter: tuple[float, ...]
    reliability: Reliability
    consistency: Consistency | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """Skill of every model and the gain of the first over each of the others.

    Attributes
    ----------
    models : tuple of ModelSkill
        The model under test first, then the baselines.
    information_gain : dict of str to Interval
        Per baseline: nats per event, with the interval.
    hit_ratio : dict of str to dict of str to Interval
        Per baseline and flagged share: hits of the model over hits of the baseline.
    """

    kind: str
    horizon_s: float
    n_cells: int
    n_origins: int
    n_events: int
    first_origin_s: float
    last_origin_s: float
    models: tuple[ModelSkill, ...]
    information_gain: dict[str, Interval]
    hit_ratio: dict[str, dict[str, Interval]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def report_of(tables: Sequence[ForecastTable], grid: Grid) -> BacktestReport:
    """Score forecasts of the same origins; the first table is the model under test."""
    tested, *others = tables
    skills = [
        skill_of(table, grid, with_consistency=table is tested) for table in tables
    ]
    return BacktestReport(
        kind=tested.kind,
        horizon_s=tested.horizon_s,
        n_cells=len(grid),
        n_origins=tested.origins_s.size,
        n_events=int(tested.observed.sum()),
        first_origin_s=float(tested.origins_s[0]),
        last_origin_s=float(tested.origins_s[-1]),
        models=tuple(skills),
        information_gain={table.kind: gain_interval(tested, table) for table in others},
        hit_ratio={
            table.kind: hit_ratio_intervals(tested, table, grid) for table in others
        },
    )


def skill_of(
    table: ForecastTable, grid: Grid, *, with_consistency: bool = True
) -> ModelSkill:
    """All figures of one model; the consistency tests simulate and take longest."""
    mean, alpha, observed = table.mean, table.alpha, table.observed
    events = max(float(observed.sum()), 1.0)
    probability = event_probability(mean, alpha)
    log_score = float(skill.nb_log_score(mean, alpha, observed).sum()) / events
    poisson = skill.nb_log_score(mean, np.zeros_like(alpha), observed).sum() / events
    hits = {
        f"{s:g}": skill.hit_rate(mean, observed, grid.area_km2, share=s)
        for s in AREA_SHARES
    }
    return ModelSkill(
        kind=table.kind,
        hit_rate=hits,
        accuracy_index={share: hit / float(share) for share, hit in hits.items()},
        efficiency_index={
            f"{s:g}": skill.efficiency(mean, observed, grid.area_km2, share=s)
            for s in AREA_SHARES
        },
        brier=skill.brier_score(probability, observed),
        log_score=log_score,
        dispersion_gain=log_score - float(poisson),
        mean_alpha=float((alpha * observed).sum()) / events,
        crps=float(ranked_probability_score(observed, mean, alpha).mean()),
        calibration_error=skill.calibration_error(probability, observed),
        coverage=coverage_of(table, grid),
        level_bias=float(mean.sum()) / events,
        level_bias_by_quarter=_bias_by_quarter(table),
        reliability=_reliability(table, probability),
        consistency=consistency_of(table, grid) if with_consistency else None,
    )


def coverage_of(table: ForecastTable, grid: Grid) -> Coverage:
    """Coverage of 90 % intervals of cells, blocks and the region's total."""
    calibration = table.calibration
    block = in_blocks(grid, table.mean)
    region = table.mean.sum(axis=1)
    return Coverage(
        cell=skill.interval_coverage(
            table.observed,
            table.mean,
            table.alpha,
            shift=calibration.cell_shift.apply,
        ),
        block=skill.interval_coverage(
            in_blocks(grid, table.observed),
            block,
            calibration.block_dispersion.alpha(block),
            shift=calibration.block_shift.apply,
        ),
        region=skill.interval_coverage(
            table.observed.sum(axis=1),
            region,
            calibration.region_dispersion.alpha(region),
            shift=calibration.region_shift.apply,
        ),
    )


def gain_interval(tested: ForecastTable, reference: ForecastTable) -> Interval:
    """Information gain per event of one table over another, with its interval."""
    gain = skill.poisson_log_score(tested.mean, tested.observed)
    gain = gain - skill.poisson_log_score(reference.mean, reference.observed)
    return ratio_interval(gain.sum(axis=1), tested.observed.sum(axis=1))


def hit_ratio_intervals(
    tested: ForecastTable, reference: ForecastTable, grid: Grid
) -> dict[str, Interval]:
    """Hits of one table over hits of another at each flagged share."""
    return {
        f"{share:g}": ratio_interval(
            *(
                skill.captures_by_origin(
                    table.mean, table.observed, grid.area_km2, share=share
                )
                for table in (tested, reference)
            )
        )
        for share in AREA_SHARES
    }


def _bias_by_quarter(table: ForecastTable) -> tuple[float, ...]:
    elapsed_s = table.origins_s - table.origins_s[0]
    quarter = (elapsed_s // QUARTER_S).astype(np.int64)
    # A quarter that the test block ends in early is no quarter.
    n_quarters = max(int((elapsed_s[-1] + table.horizon_s) // QUARTER_S), 1)
    expected = np.bincount(quarter, table.mean.sum(axis=1))[:n_quarters]
    happened = np.bincount(quarter, table.observed.sum(axis=1))[:n_quarters]
    return _tuple(expected / np.maximum(happened, 1.0))


def _reliability(table: ForecastTable, probability: Floats) -> Reliability:
    bins = skill.reliability(probability, table.observed)
    histogram = transform_histogram(table.observed, table.mean, table.alpha)
    forecast, frequency, share, transform = (
        _tuple(values) for values in (*bins, histogram)
    )
    return Reliability(
        forecast=forecast, frequency=frequency, share=share, transform=transform
    )


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
