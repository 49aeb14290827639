"""May a challenger replace the champion? Their scored forecasts decide.

Both are compared on the same instants, all of them after the training of either, at
windows that do not overlap. At the shortest horizon the challenger has to be better,
at the others it must not be worse, and nowhere less well calibrated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr

from scoring.engine.consistency import SIGNIFICANCE
from scoring.engine.uncertainty import Interval, ratio_interval
from scoring.models import ForecastSkill, ModelVersion
from scoring.selectors.live_skill import failed_n_test, pooled_calibration_error

# From here on a model without any gain passes in 2 to 4 cases of 100.
FEWEST_WINDOWS = 14
# Differences of the calibration error that are noise.
RELATIVE_SLACK = 1.1
ABSOLUTE_SLACK = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonFigures:
    """What two versions achieved at one horizon, and what the challenger failed.

    `information_gain` is in nats an event over the champion.
    """

    horizon_sec: int
    window_count: int
    event_count: int
    information_gain: Interval
    calibration_error: float
    champion_calibration_error: float
    n_test_failures: int
    champion_n_test_failures: int
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    horizons: tuple[HorizonFigures, ...]
    failed: tuple[str, ...]


Pair = tuple[ForecastSkill, ForecastSkill]


def judge(challenger: ModelVersion, *, champion: ModelVersion) -> Verdict:
    pairs = _pairs(challenger, champion)
    horizons = challenger.artifacts.order_by("horizon_sec")
    wanted = list(horizons.values_list("horizon_sec", flat=True))
    results = [
        _evaluate_horizon(horizon_sec, pairs.get(horizon_sec, []), is_first=not index)
        for index, horizon_sec in enumerate(wanted)
    ]
    missing = [] if wanted else ["it has no artifact"]
    failed = [reason for figures in results for reason in figures.failed]
    return Verdict(horizons=tuple(results), failed=(*missing, *failed))


def _pairs(challenger: ModelVersion, champion: ModelVersion) -> dict[int, list[Pair]]:
    """Give pairs of the same instant by horizon, ascending, none overlapping."""
    trained_until = max(challenger.trained_until, champion.trained_until)
    theirs, ours = (
        {
            (skill.forecast.horizon_sec, skill.forecast.issued_for): skill
            for skill in ForecastSkill.objects.filter(
                forecast__model_version=version,
                forecast__issued_for__gte=trained_until,
            ).select_related("forecast")
        }
        for version in (challenger, champion)
    )
    pairs: dict[int, list[Pair]] = {}
    for horizon_sec, issued_for in sorted(theirs.keys() & ours.keys()):
        disjoint = pairs.setdefault(horizon_sec, [])
        if not disjoint or disjoint[-1][0].forecast.valid_until <= issued_for:
            key = horizon_sec, issued_for
            disjoint.append((theirs[key], ours[key]))
    return pairs


def _evaluate_horizon(
    horizon_sec: int, pairs: Sequence[Pair], *, is_first: bool
) -> HorizonFigures:
    theirs = [pair[0] for pair in pairs]
    ours = [pair[1] for pair in pairs]
    gain = _information_gain(pairs)
    errors = pooled_calibration_error(theirs), pooled_calibration_error(ours)
    failures = _n_test_failures(theirs), _n_test_failures(ours)
    failed = []
    if len(pairs) < FEWEST_WINDOWS:
        if is_first:
            failed.append(f"only {len(pairs)} of {FEWEST_WINDOWS} windows are scored")
    else:
        failed += _gain_failures(gain, is_first=is_first)
        if errors[0] > max(RELATIVE_SLACK * errors[1], errors[1] + ABSOLUTE_SLACK):
            failed.append(
                f"the calibration error is {errors[0]:.4f}, the champion's "
                f"{errors[1]:.4f}"
            )
        # The most failures that a calibrated forecaster has, in 39 cases of 40.
        likely = bdtr(np.arange(len(pairs) + 1), len(pairs), SIGNIFICANCE)
        by_chance = int(np.searchsorted(likely, 1 - SIGNIFICANCE / 2))
        if failures[0] > max(failures[1], by_chance):
            failed.append(
                f"{failures[0]} N-tests failed, {failures[1]} of the champion's"
            )
    return HorizonFigures(
        horizon_sec=horizon_sec,
        window_count=len(pairs),
        event_count=sum(skill.observed_count for skill in theirs),
        information_gain=gain,
        calibration_error=errors[0],
        champion_calibration_error=errors[1],
        n_test_failures=failures[0],
        champion_n_test_failures=failures[1],
        failed=tuple(f"at {horizon_sec} s {reason}" for reason in failed),
    )


def _gain_failures(gain: Interval, *, is_first: bool) -> Iterator[str]:
    if gain.low is None or gain.high is None:
        if is_first:
            yield "too few windows have events for an interval of the gain"
        return
    if is_first and gain.low <= 0:
        yield f"the gain's lower bound {gain.low:+.4f} is not above zero"
    if gain.high < 0:
        yield f"the gain's upper bound {gain.high:+.4f} is below zero"


def _information_gain(pairs: Sequence[Pair]) -> Interval:
    """Difference of the Poisson log scores per event (Rhoades et al. 2011)."""
    events = np.array([theirs.observed_count for theirs, _ in pairs], dtype=np.float64)
    gains = [
        theirs.figures["poisson_log_score"] - ours.figures["poisson_log_score"]
        for theirs, ours in pairs
    ]
    return ratio_interval(np.array(gains), events)


def _n_test_failures(skills: Sequence[ForecastSkill]) -> int:
    return sum(map(failed_n_test, skills))
