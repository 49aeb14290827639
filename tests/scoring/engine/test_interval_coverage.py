"""Intervals of skill hold the true figure as often as they say, on made-up windows.

Each number is a share of `N_RECORDS` records, so that its own standard error is at
most 0.005. Records are made from fixed seeds.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import norm, t

from scoring.engine.arrays import Floats
from scoring.engine.uncertainty import FEWEST_WINDOWS as FEWEST_SERVED
from scoring.engine.uncertainty import (
    Interval,
    distance_interval,
    ratio_interval,
    share_interval,
)
from scoring.services.registry.promotion_gate import FEWEST_WINDOWS

N_RECORDS = 2_000
WINDOWS = (14, 30, 60, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How events and gains of windows come about.

    Attributes
    ----------
    mean, dispersion
        Of the negative binomial number of events.
    persistence
        Autoregression of the gain per event from window to window.
    spread
        Standard deviation of the gain per event, between windows.
    scatter
        That of single events, within a window.
    clusters
        How much more is gained where a cluster of events is.
    """

    mean: float = 8.0
    dispersion: float = 1.0
    persistence: float = 0.0
    spread: float = 0.3
    scatter: float = 0.0
    clusters: float = 0.0


WORLDS = {
    "independent": Windows(),
    "sparse": Windows(mean=2.0, persistence=0.3),
    "single events": Windows(spread=0.0, scatter=0.5),
    "persistent": Windows(persistence=0.4, scatter=0.3),
    "very persistent": Windows(persistence=0.5),
    "more in clusters": Windows(persistence=0.3, clusters=0.1),
}


def draw(
    world: Windows, *, n_windows: int, gain: float, seed: int = 5
) -> tuple[Floats, Floats, float]:
    """Gains and numbers of events, (N_RECORDS, n_windows), and the true ratio."""
    rng = np.random.default_rng(seed)
    size = (N_RECORDS, n_windows)
    level = rng.gamma(1.0 / world.dispersion, world.dispersion, size)
    events = rng.poisson(world.mean * level).astype(np.float64)
    per_event = gain + world.spread * persist(rng, size, world.persistence)
    per_event += world.clusters * (level - 1.0)
    gains = events * per_event
    gains += world.scatter * np.sqrt(events) * rng.standard_normal(size)
    return gains, events, gain + world.clusters * world.dispersion


def persist(
    rng: np.random.Generator, size: tuple[int, int], persistence: float
) -> Floats:
    """Standard normal numbers, each row an autoregression of first order."""
    noise = rng.standard_normal(size)
    fresh = np.sqrt(1.0 - persistence**2)
    for place in range(1, size[1]):
        noise[:, place] *= fresh
        noise[:, place] += persistence * noise[:, place - 1]
    return noise


def coverage(intervals: list[Interval], truth: float, *, least: float = 0.9) -> float:
    """Share of the intervals that hold the truth; more than `least` have ends."""
    served = [each for each in intervals if each.low is not None]
    held = [not each.is_above(truth) and not each.is_below(truth) for each in served]
    assert len(held) > least * len(intervals)
    return float(np.mean(held))


@pytest.mark.parametrize("n_windows", [FEWEST_SERVED, *WINDOWS])
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_the_interval_of_a_gain_holds_it_in_95_of_100_records(
    world: Windows, n_windows: int
) -> None:
    gains, events, truth = draw(world, n_windows=n_windows, gain=0.2)

    found = [ratio_interval(*record) for record in zip(gains, events, strict=True)]

    least = 0.4 if n_windows == FEWEST_SERVED else 0.9
    assert 0.93 <= coverage(found, truth, least=least) <= 0.97


@pytest.mark.parametrize("n_windows", [FEWEST_WINDOWS, 17, 21, 30, 60])
@pytest.mark.parametrize("name", [n for n in WORLDS if not WORLDS[n].clusters])
def test_a_model_without_any_gain_is_hardly_ever_promoted(
    name: str, n_windows: int
) -> None:
    gains, events, _ = draw(WORLDS[name], n_windows=n_windows, gain=0.0)

    found = [ratio_interval(*record) for record in zip(gains, events, strict=True)]

    assert np.mean([each.is_above(0.0) for each in found]) <= 0.04


@pytest.mark.parametrize("n_windows", WINDOWS)
@pytest.mark.parametrize("persistence", [0.0, 0.4])
@pytest.mark.parametrize("share", [0.8, 0.95])
def test_the_interval_of_a_pass_share_holds_it_at_least_that_often(
    share: float, persistence: float, n_windows: int
) -> None:
    latent = persist(np.random.default_rng(7), (N_RECORDS, n_windows), persistence)
    passed = (latent < norm.ppf(share)).astype(np.float64)

    found = [share_interval(record) for record in passed]

    assert 0.93 <= coverage(found, share) <= (0.995 if n_windows < 100 else 0.97)
    assert all(0.0 <= each.value <= 1.0 for each in found)
    ends = [(each.low or 0.0, each.high or 0.0) for each in found]
    assert np.min(ends) >= 0.0
    assert np.max(ends) <= 1.0 + 1e-12


@pytest.mark.parametrize("n_windows", WINDOWS)
@pytest.mark.parametrize("persistence", [0.0, 0.4])
def test_the_interval_of_a_coverage_holds_it(
    persistence: float, n_windows: int
) -> None:
    latent = persist(np.random.default_rng(8), (N_RECORDS, n_windows), persistence)
    shares = 1.0 - 0.2 * np.square(norm.cdf(latent))

    found = [share_interval(record) for record in shares]

    assert 0.93 <= coverage(found, 1.0 - 0.2 / 3.0) <= 0.97


@pytest.mark.parametrize("n_windows", [14, 60])
@pytest.mark.parametrize("error", [0.0, 0.01, 0.1])
def test_the_interval_of_a_calibration_error_holds_it_at_least_that_often(
    error: float, n_windows: int
) -> None:
    rng = np.random.default_rng(9)
    n_bins, n_cells, n_records = 10, 200, 1_000
    size = (n_records, n_windows, 1)
    shared = 0.02 * rng.standard_normal(size)
    noise = rng.standard_normal((n_records, n_windows, n_bins)) / np.sqrt(n_cells)
    excess = n_cells / n_bins * (error + shared + 0.3 * noise)
    cells = np.full(n_windows, float(n_cells))

    found = [distance_interval(record, cells) for record in excess]

    assert coverage(found, error) >= 0.94
    assert all(each.low is None or each.low >= 0.0 for each in found)


@pytest.mark.parametrize("n_windows", [14, 30, 200])
def test_it_is_no_narrower_than_the_t_test_where_that_is_right(n_windows: int) -> None:
    """The T-test (Rhoades et al. 2011) takes events for independent, as these are."""
    rng = np.random.default_rng(11)
    ratios = []
    for _ in range(300):
        events = rng.poisson(20.0, n_windows)
        logs = 0.1 + 0.4 * rng.standard_normal(int(events.sum()))
        ends = np.cumsum(events)[:-1]
        gains = np.array([part.sum() for part in np.split(logs, ends)])
        found = ratio_interval(gains, events.astype(np.float64))
        spread = logs.std(ddof=1) / np.sqrt(logs.size)
        half = t.ppf(0.975, logs.size - 1) * spread
        assert found.low is not None
        ratios.append((found.value - found.low) / half)

    assert 0.98 < np.mean(ratios) < (1.15 if n_windows == 200 else 2.5)


@pytest.mark.parametrize("flags", [[1, 1, 1, 0] * 10, [1, 0] * 20, [0, 1, 1] * 7])
def test_the_ends_of_a_share_are_the_shares_that_just_fit(flags: list[int]) -> None:
    found = share_interval(np.array(flags, dtype=np.float64))

    distances = [
        abs(end - found.value) / np.sqrt(end * (1.0 - end))
        for end in (found.low, found.high)
        if end is not None
    ]

    assert found.value == np.mean(flags)
    assert distances[0] == pytest.approx(distances[1])


def test_a_share_of_one_is_wilsons_for_the_quantile_of_few_windows() -> None:
    found = share_interval(np.ones(20))

    square = t.ppf(0.975, 3) ** 2  # three cosines of twenty windows
    assert found.value == 1.0
    assert found.high == pytest.approx(1.0)
    assert found.low == pytest.approx(20 / (20 + square))


@pytest.mark.parametrize(
    "events",
    [np.full(7, 3.0), np.r_[np.zeros(29), 4.0], np.r_[np.full(3, 5.0), np.zeros(40)]],
    ids=["seven windows", "one with events", "three with events"],
)
def test_too_few_windows_have_a_figure_and_no_interval(events: Floats) -> None:
    found = ratio_interval(0.5 * events, events)

    assert found == Interval(value=0.5, low=None, high=None)
    assert not found.is_above(-1.0)
    assert not found.is_below(1.0)


def test_nothing_observed_has_neither_figure_nor_interval() -> None:
    nothing = np.zeros(20)

    assert ratio_interval(nothing, nothing) == Interval(value=0.0, low=None, high=None)
    assert share_interval(nothing[:0]) == Interval(value=0.0, low=None, high=None)
