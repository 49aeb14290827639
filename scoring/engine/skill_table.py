"""The table of skill on the frozen sets, with what each target asks for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scoring.engine.backtesting import BacktestPlan, Progress, backtest
from scoring.engine.frozen_sets import load_frozen_set
from scoring.engine.report import BacktestReport, ModelSkill
from scoring.engine.resampling import Interval
from scoring.engine.state import DAY_S

HORIZONS_S: Final = (DAY_S, 7 * DAY_S)
SHARES: Final = ("0.01", "0.05")
LARGEST_ERROR: Final = {DAY_S: 0.004, 7 * DAY_S: 0.02}
COVERAGE: Final = (0.87, 0.93)
LEVEL_BIAS: Final = (0.9, 1.1)
SMALLEST_RATIO: Final = 0.97
SMALLEST_PASS_SHARE: Final = 0.92
DISPERSION_GAIN: Final = 0.45
# Gain over the time-independent map on the reference set, by horizon.
REFERENCE_SET: Final = "san_jacinto"
REFERENCE_GAIN: Final = {DAY_S: 0.70, 7 * DAY_S: 0.53}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSkill:
    """The back-test of the served model on the test block of one set."""

    name: str
    digest: str
    report: BacktestReport

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "set": self.name,
            "digest": self.digest,
            "report": self.report.as_dict(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One target on one set and horizon: what was asked, found, and whether met."""

    figure: str
    target: str
    found: str
    is_met: bool


def measure_set(
    folder: Path,
    name: str,
    *,
    horizon_s: float,
    kind: str = "ensemble",
    progress: Progress | None = None,
) -> SetSkill:
    """Back-test one model and all baselines on the test block of a frozen set."""
    frozen = load_frozen_set(folder, name)
    plan = BacktestPlan(
        horizon_s=horizon_s,
        n_origins=frozen.n_origins(horizon_s),
        timezone=frozen.timezone,
        kind=kind,
    )
    report = backtest(frozen.history, frozen.grid, plan=plan, progress=progress)
    return SetSkill(name=name, digest=frozen.digest, report=report)


def findings(measured: SetSkill) -> tuple[Finding, ...]:
    """Every target that applies to a set and horizon."""
    report, model = measured.report, measured.report.models[0]
    return (
        *(_ranking(report, share) for share in SHARES),
        _gain(measured, "time_independent"),
        _gain(measured, "linear_hawkes"),
        _dispersion(model),
        _calibration(model, report.horizon_s),
        *_coverages(model),
        *_consistencies(model),
        _level(model),
    )


def as_markdown(measured: Sequence[SetSkill]) -> str:
    """One section per set and horizon: targets first, then every model."""
    return "\n".join(line for one in measured for line in _section(one))


def _section(measured: SetSkill) -> Iterable[str]:
    report = measured.report
    days = report.horizon_s / DAY_S
    yield f"## {measured.name}, {days:g} d"
    yield ""
    yield (
        f"{report.n_cells} cells, {report.n_origins} windows, {report.n_events} "
        f"events in the test block; events.csv.gz sha256 `{measured.digest[:16]}…`"
    )
    yield ""
    yield "| figure | target | found | met |"
    yield "|---|---|---|---|"
    for finding in findings(measured):
        met = "yes" if finding.is_met else "**no**"
        yield f"| {finding.figure} | {finding.target} | {finding.found} | {met} |"
    yield ""
    yield from _model_table(report)
    yield ""


def _model_table(report: BacktestReport) -> Iterable[str]:
    yield (
        "| model | hit rate 0.5 % | 1 % | 5 % | 10 % | PEI 1 % | gain of the model "
        "under test, nats/event | log score | CRPS | Brier | ECE |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for model in report.models:
        gain = report.information_gain.get(model.kind)
        hits = " | ".join(f"{hit:.4f}" for hit in model.hit_rate.values())
        yield (
            f"| {model.kind} | {hits} | {model.efficiency_index['0.01']:.3f} "
            f"| {_interval(gain) if gain else ''} | {model.log_score:.3f} "
            f"| {model.crps:.5f} | {model.brier:.5f} | {model.calibration_error:.4f} |"
        )


def _ranking(report: BacktestReport, share: str) -> Finding:
    baselines = report.models[1:]
    best = max(baselines, key=lambda model: model.hit_rate[share])
    ratio = report.hit_ratio[best.kind][share]
    return Finding(
        figure=f"hit rate at {float(share):.0%} over the best baseline",
        target=f"≥ {SMALLEST_RATIO}",
        found=f"{_interval(ratio)} over {best.kind}",
        is_met=ratio.value >= SMALLEST_RATIO,
    )


def _gain(measured: SetSkill, baseline: str) -> Finding:
    report = measured.report
    gain = report.information_gain[baseline]
    wanted = 0.0
    if measured.name == REFERENCE_SET and baseline == "time_independent":
        wanted = REFERENCE_GAIN.get(report.horizon_s, 0.0)
    is_reference = wanted > 0
    return Finding(
        figure=f"information gain over {baseline}, nats/event",
        target=f"≥ {wanted}" if is_reference else "interval above 0",
        found=_interval(gain),
        is_met=gain.value >= wanted if is_reference else gain.low > 0,
    )


def _dispersion(model: ModelSkill) -> Finding:
    return Finding(
        figure="negative binomial over Poisson, nats/event",
        target=f"≥ {DISPERSION_GAIN} where alpha > 1 (mean {model.mean_alpha:.2f})",
        found=f"{model.dispersion_gain:.3f}",
        is_met=model.dispersion_gain >= DISPERSION_GAIN or model.mean_alpha <= 1.0,
    )


def _calibration(model: ModelSkill, horizon_s: float) -> Finding:
    limit = LARGEST_ERROR.get(horizon_s, max(LARGEST_ERROR.values()))
    return Finding(
        figure="calibration error of P(N ≥ 1)",
        target=f"≤ {limit}",
        found=f"{model.calibration_error:.4f}",
        is_met=model.calibration_error <= limit,
    )


def _coverages(model: ModelSkill) -> Iterable[Finding]:
    low, high = COVERAGE
    for level in ("cell", "block", "region"):
        share: float = getattr(model.coverage, level)
        yield Finding(
            figure=f"90 % interval coverage, {level}",
            target=f"{low} to {high}",
            found=f"{share:.3f}",
            is_met=low <= share <= high,
        )


def _consistencies(model: ModelSkill) -> Iterable[Finding]:
    if model.consistency is None:
        return
    shares = {
        "N-test (negative binomial)": model.consistency.number,
        "S-test and CL-test, dispersed": model.consistency.spatial,
        "S-test and CL-test, Poisson": model.consistency.spatial_poisson,
    }
    for name, share in shares.items():
        yield Finding(
            figure=f"{name} pass share",
            target=f"≥ {SMALLEST_PASS_SHARE}",
            found=f"{share:.3f}",
            is_met=share >= SMALLEST_PASS_SHARE,
        )


def _level(model: ModelSkill) -> Finding:
    low, high = LEVEL_BIAS
    quarters = model.level_bias_by_quarter
    return Finding(
        figure="forecast over observed, per quarter",
        target=f"{low} to {high}",
        found=f"{min(quarters):.2f} to {max(quarters):.2f}, all {model.level_bias:.3f}",
        is_met=low <= min(quarters) and max(quarters) <= high,
    )


def _interval(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
