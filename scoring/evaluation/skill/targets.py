"""What the engine is held to on the frozen sets, and whether a back-test meets it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from scoring.engine.grid import Grid
from scoring.engine.report import BacktestReport, ModelSkill
from scoring.engine.uncertainty import Interval
from scoring.evaluation.backtests.running import HorizonResult
from scoring.evaluation.skill.intervals import (
    calibration_interval,
    coverage_intervals,
    dispersion_interval,
)
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
    report, model = result.report, result.report.models[0]
    return (
        *(_hit_ratio(report, share) for share in JUDGED_SHARES),
        *_reference_gain(set_name, report),
        *_hawkes_gain(report),
        _dispersion_gain(result),
        _calibration(result),
        *_coverages(result, grid),
        *_consistencies(result),
        _level_bias(model),
    )


def best_baseline(report: BacktestReport, share: str) -> ModelSkill:
    """The baseline with most hits on the test block itself: the hardest to beat."""
    return max(report.models[1:], key=lambda model: model.hit_rate[share])


def _hit_ratio(report: BacktestReport, share: str) -> Finding:
    best, tested = best_baseline(report, share), report.models[0]
    found = report.hit_ratio[best.kind][share]
    return Finding(
        figure=f"hit rate at {100 * float(share):g} % of area over the best baseline",
        target=f"≥ {SMALLEST_HIT_RATIO}",
        found=found,
        is_met=found.value >= SMALLEST_HIT_RATIO,
        note=f"{tested.hit_rate[share]:.4f} against {best.hit_rate[share]:.4f} of "
        f"{best.kind.replace('_', ' ')}",
    )


def _reference_gain(set_name: str, report: BacktestReport) -> Iterator[Finding]:
    target = REFERENCE_GAINS.get(int(report.horizon_s))
    found = report.information_gain.get("time_independent")
    if set_name == REFERENCE_SET and target is not None and found is not None:
        yield Finding(
            figure="information gain over time independent, nats per event",
            target=f"≥ {target}",
            found=found,
            is_met=found.value >= target,
        )


def _hawkes_gain(report: BacktestReport) -> Iterator[Finding]:
    if (found := report.information_gain.get("linear_hawkes")) is not None:
        yield Finding(
            figure="information gain over linear Hawkes, nats per event",
            target="interval above 0",
            found=found,
            is_met=found.is_above(0.0),
        )


def _dispersion_gain(result: HorizonResult) -> Finding:
    alpha = result.report.models[0].mean_alpha
    found = dispersion_interval(result.tables[0])
    applies = alpha > 1
    return Finding(
        figure="negative binomial over Poisson, nats per event",
        target=f"≥ {SMALLEST_DISPERSION_GAIN} where alpha > 1",
        found=found,
        is_met=found.value >= SMALLEST_DISPERSION_GAIN if applies else None,
        note=f"mean alpha {alpha:.2f}",
    )


def _calibration(result: HorizonResult) -> Finding:
    limit = LARGEST_ERRORS.get(result.horizon_sec, max(LARGEST_ERRORS.values()))
    found = calibration_interval(result.tables[0])
    return Finding(
        figure="calibration error (ECE) of P(N≥1)",
        target=f"≤ {limit}",
        found=found,
        is_met=found.value <= limit,
    )


def _coverages(result: HorizonResult, grid: Grid) -> Iterator[Finding]:
    low, high = COVERAGE
    for level, found in coverage_intervals(result.tables[0], grid).items():
        yield Finding(
            figure=f"coverage of 90 % intervals: {level}",
            target=f"{low} to {high}",
            found=found,
            is_met=low <= found.value <= high,
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
        yield Finding(
            figure=f"pass share at 5 %: {figure}",
            target=f"≥ {SMALLEST_PASS_SHARE}",
            found=found,
            is_met=found.value >= SMALLEST_PASS_SHARE,
            note=note,
        )


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
