"""What the engine is held to on the frozen sets, and whether a back-test meets it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from scoring.engine import skill
from scoring.engine.arrays import Floats, product
from scoring.engine.blocks import in_blocks
from scoring.engine.distributions import event_probability
from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.frozen_sets import FrozenSet
from scoring.engine.grid import Grid
from scoring.engine.report import BacktestReport, ModelSkill, gain_interval
from scoring.engine.skill import hit_rate
from scoring.engine.smoothing import gaussian_kernel
from scoring.engine.uncertainty import (
    Interval,
    distance_interval,
    ratio_interval,
    share_interval,
)
from scoring.evaluation.backtests.running import HorizonResult
from scoring.horizons import DAY_S

SMALLEST_HIT_RATIO: Final = 0.97
JUDGED_SHARES: Final = ("0.01", "0.05")
REFERENCE_SET: Final = "san_jacinto"
REFERENCE_GAINS: Final = {DAY_S: 0.70, 7 * DAY_S: 0.53}
SMALLEST_DISPERSION_GAIN: Final = 0.45
LARGEST_ERRORS: Final = {DAY_S: 0.004, 7 * DAY_S: 0.02}
COVERAGE: Final = (0.87, 0.93)
SMALLEST_PASS_SHARE: Final = 0.92
LEVEL_BIAS: Final = (0.9, 1.1)
UNIFORM_BELOW_REFERENCE: Final = 0.89
REFERENCE_BANDWIDTH_CELLS: Final = 1.0
REFERENCE_UNIFORM_SHARE: Final = 0.01
REFERENCE_HIT_RATE: Final = 0.302
AREA_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One target on one set and horizon: the figure required, and the one found.

    `is_met` is None where the target does not apply. The interval holds the figure
    with probability 0.95, unless `figure` or `note` say what it is.
    """

    figure: str
    target: str
    found: Interval
    is_met: bool | None
    note: str = ""


def judge(set_name: str, result: HorizonResult, grid: Grid) -> tuple[Finding, ...]:
    """Every target that has a figure on this set and horizon."""
    report, table = result.report, result.tables[0]
    model, gains = report.models[0], report.information_gain
    findings = [_hit_ratio(report, share) for share in JUDGED_SHARES]
    target, gain = (
        REFERENCE_GAINS.get(result.horizon_sec),
        gains.get("time_independent"),
    )
    if set_name == REFERENCE_SET and target is not None and gain is not None:
        figure = "information gain over time independent, nats per event"
        findings.append(_at_least(target, gain, figure))
    if (gain := gains.get("linear_hawkes")) is not None:
        findings.append(
            Finding(
                figure="information gain over linear Hawkes, nats per event",
                target="interval above 0",
                found=gain,
                is_met=gain.is_above(0.0),
            )
        )
    return (
        *findings,
        _dispersion_gain(table, model.mean_alpha),
        _calibration(table, result.horizon_sec),
        *(
            _within(COVERAGE, found, f"coverage of 90 % intervals: {level}")
            for level, found in coverage_intervals(table, grid).items()
        ),
        *_consistencies(result),
        _level_bias(model),
    )


def _at_least(
    target: float, found: Interval, figure: str, *, note: str = ""
) -> Finding:
    return Finding(
        figure=figure,
        target=f"≥ {target}",
        found=found,
        is_met=found.value >= target,
        note=note,
    )


def _within(bounds: tuple[float, float], found: Interval, figure: str) -> Finding:
    low, high = bounds
    return Finding(
        figure=figure,
        target=f"{low} to {high}",
        found=found,
        is_met=low <= found.value <= high,
    )


def best_baseline(report: BacktestReport, share: str) -> ModelSkill:
    """The baseline with most hits on the test block itself: the hardest to beat."""
    return max(report.models[1:], key=lambda model: model.hit_rate[share])


def _hit_ratio(report: BacktestReport, share: str) -> Finding:
    best, tested = best_baseline(report, share), report.models[0]
    return _at_least(
        SMALLEST_HIT_RATIO,
        report.hit_ratio[best.kind][share],
        f"hit rate at {100 * float(share):g} % of area over the best baseline",
        note=f"{tested.hit_rate[share]:.4f} against {best.hit_rate[share]:.4f} of "
        f"{best.kind.replace('_', ' ')}",
    )


def _dispersion_gain(table: ForecastTable, alpha: float) -> Finding:
    found = dispersion_interval(table)
    return Finding(
        figure="negative binomial over Poisson, nats per event",
        target=f"≥ {SMALLEST_DISPERSION_GAIN} where alpha > 1",
        found=found,
        is_met=found.value >= SMALLEST_DISPERSION_GAIN if alpha > 1 else None,
        note=f"mean alpha {alpha:.2f}",
    )


def _calibration(table: ForecastTable, horizon_sec: int) -> Finding:
    limit = LARGEST_ERRORS.get(horizon_sec, max(LARGEST_ERRORS.values()))
    found = calibration_interval(table)
    return Finding(
        figure="calibration error (ECE) of P(N≥1)",
        target=f"≤ {limit}",
        found=found,
        is_met=found.value <= limit,
    )


def _consistencies(result: HorizonResult) -> Iterator[Finding]:
    tests = result.report.models[0].consistency
    if tests is None:
        return
    n_busy = int(np.count_nonzero(result.tables[0].observed.sum(axis=1)))
    of_busy = f"of {n_busy} windows with events"
    for figure, found, note in (
        ("N-test, negative binomial", tests.number, ""),
        ("S- and CL-test, maps as dispersed as forecast", tests.spatial, of_busy),
        ("S- and CL-test, Poisson maps", tests.spatial_poisson, of_busy),
    ):
        figure_text = f"pass share at 5 %: {figure}"
        yield _at_least(SMALLEST_PASS_SHARE, found, figure_text, note=note)


def _level_bias(model: ModelSkill) -> Finding:
    low, high = LEVEL_BIAS
    quarters = model.level_bias_by_quarter
    return Finding(
        figure="forecast over observed (lowest to highest quarter)",
        target=f"{low} to {high}",
        found=Interval(value=model.level_bias, low=min(quarters), high=max(quarters)),
        is_met=low <= min(quarters) and max(quarters) <= high,
        note=f"{len(quarters)} quarters",
    )


def coverage_intervals(table: ForecastTable, grid: Grid) -> dict[str, Interval]:
    """Coverage of 90 % intervals of cells, of blocks of them and of the total."""
    calibration = table.calibration
    blocks = in_blocks(grid, table.mean)
    total = table.mean.sum(axis=1, keepdims=True)
    levels = {
        "cell": (
            table.observed,
            table.mean,
            table.alpha,
            calibration.cell_shift.apply,
        ),
        "block": (
            in_blocks(grid, table.observed),
            blocks,
            calibration.block_dispersion.alpha(blocks),
            calibration.block_shift.apply,
        ),
        "region total": (
            table.observed.sum(axis=1, keepdims=True),
            total,
            calibration.region_dispersion.alpha(total),
            calibration.region_shift.apply,
        ),
    }
    return {name: share_interval(_coverage(*level)) for name, level in levels.items()}


def dispersion_interval(table: ForecastTable) -> Interval:
    """Log score of the negative binomial over Poisson's, nats per event."""
    scattered, poisson = (
        skill.nb_log_score(table.mean, alpha, table.observed)
        for alpha in (table.alpha, np.zeros_like(table.alpha))
    )
    gain = (scattered - poisson).sum(axis=1)
    return ratio_interval(gain, table.observed.sum(axis=1))


def calibration_interval(table: ForecastTable) -> Interval:
    """Calibration error of P(N >= 1) over bins of equal count."""
    probability = event_probability(table.mean, table.alpha)
    excess, cases = skill.excess_by_bin(probability, table.observed)
    return distance_interval(excess, cases.sum(axis=1))


def _coverage(
    observed: Floats, mean: Floats, alpha: Floats, shift: skill.LevelShift
) -> Floats:
    """Coverage in each window, shape (n_origins,)."""
    rows = zip(observed, mean, alpha, strict=True)
    return np.array([skill.interval_coverage(*row, shift=shift) for row in rows])


def reference_findings(frozen: FrozenSet, result: HorizonResult) -> tuple[Finding, ...]:
    """Gains over a uniform map and over one smoothed by a whole cell.

    They are no targets: they show how much of a shortfall against
    the tuned map is the strength of that map.
    """
    fixed = [table for table in result.tables if table.kind == "time_independent"]
    target = REFERENCE_GAINS.get(result.horizon_sec)
    if frozen.name != REFERENCE_SET or target is None or not fixed:
        return ()
    known = frozen.history.known_at(float(fixed[0].origins_s[0]) - result.horizon_sec)
    count = np.bincount(known.cell_index, minlength=len(frozen.grid))
    kernel = gaussian_kernel(frozen.grid, REFERENCE_BANDWIDTH_CELLS)
    spread = product(kernel, count.astype(np.float64))
    even = REFERENCE_UNIFORM_SHARE * spread.mean()
    smooth = _map_of(fixed[0], (1.0 - REFERENCE_UNIFORM_SHARE) * spread + even)
    uniform = _map_of(fixed[0], frozen.grid.area_km2)
    hits = hit_rate(
        smooth.mean, smooth.observed, frozen.grid.area_km2, share=AREA_SHARE
    )
    return (
        Finding(
            figure="information gain over a map smoothed by one cell, nats per event",
            target=f"none; {target} was over a map with {REFERENCE_HIT_RATE} at 5 %",
            found=gain_interval(result.tables[0], smooth),
            is_met=None,
            note=f"the map has {hits:.3f} of the events at 5 % of area",
        ),
        Finding(
            figure="information gain over a uniform map, nats per event",
            target=f"none; {target + UNIFORM_BELOW_REFERENCE:.2f} was on other cells",
            found=gain_interval(result.tables[0], uniform),
            is_met=None,
        ),
    )


def _map_of(fixed: ForecastTable, weight: Floats) -> ForecastTable:
    """The same totals as a table's, spread over the cells by weight."""
    share = weight / weight.sum()
    return replace(fixed, mean=fixed.mean.sum(axis=1, keepdims=True) * share)
