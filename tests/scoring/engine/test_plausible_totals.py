"""A total is refused where the record puts it out of the question, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.engine.arrays import Floats
from scoring.engine.events import EventHistory, SeverityTransform, build_history
from scoring.engine.plausibility import PlausibleTotal, plausible_total
from scoring.engine.snapshots import walk_snapshots
from scoring.engine.state import DAY_S
from tests.scoring.engine.regions import START_S, TIMEZONE, make_grid

GRID = make_grid(radius=1)
YEAR = 365
END_S = START_S + 2 * YEAR * DAY_S


def bounds(history: EventHistory, *, horizon_days: float = 1) -> PlausibleTotal:
    snapshot = next(walk_snapshots(history, GRID, [END_S], timezone=TIMEZONE))
    found = plausible_total(snapshot, horizon_s=horizon_days * DAY_S)
    assert found is not None
    return found


def events_on(days: Floats) -> EventHistory:
    """Make events at days before the end; the record begins two years before."""
    ages = np.append(days, 2.0 * YEAR)
    return build_history(GRID, np.full(ages.size, GRID.cells[0]), END_S - ages * DAY_S)


def steady(per_day: float, *, n_days: float = YEAR, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.uniform(0.0, n_days, rng.poisson(per_day * n_days))


@pytest.mark.parametrize("horizon_days", [1, 7, 30])
@pytest.mark.parametrize("per_day", [0.3, 8, 300])
def test_a_steady_record_allows_what_it_holds_and_refuses_what_is_far_off(
    per_day: float, horizon_days: float
) -> None:
    allowed = bounds(events_on(steady(per_day)), horizon_days=horizon_days)
    expected = per_day * horizon_days
    assert allowed.mean == pytest.approx(expected, rel=0.3)
    assert all(allowed.allows(expected * factor) for factor in (0.2, 1.0, 5.0))
    assert not allowed.allows(expected / 200)
    assert not allowed.allows(expected * 200)
    assert not any(allowed.allows(total) for total in (0.0, 5.8e-9, np.nan, np.inf))


def test_quiet_after_a_burst_may_go_on() -> None:
    burst = events_on(steady(150, n_days=7) + 330)
    assert bounds(burst).allows(0.001)
    assert bounds(burst).allows(0.3)


def test_a_burst_that_has_just_begun_may_go_on_growing() -> None:
    background, hour = steady(0.2), steady(50 * 24, n_days=1 / 24)
    assert bounds(events_on(np.append(background, hour))).allows(400.0)


def test_a_season_without_events_may_end_and_begin() -> None:
    summer = events_on(steady(20, n_days=120) + 120)
    assert all(bounds(summer).allows(total) for total in (0.01, 1.0, 20.0, 60.0))


def test_a_great_earthquake_announces_more_than_it_is() -> None:
    ages = np.append(steady(5), 0.01)
    magnitudes = np.append(np.full(ages.size - 1, 2.5), 7.1)
    allowed = {
        kind: bounds(
            build_history(
                GRID,
                np.full(ages.size, GRID.cells[0]),
                END_S - ages * DAY_S,
                severity=magnitudes,
                transform=SeverityTransform(kind=kind),
            )
        )
        for kind in ("one", "exponential")
    }
    assert not allowed["one"].allows(2_000.0)
    assert allowed["exponential"].allows(2_000.0)
    assert not allowed["exponential"].allows(1e6)


def test_few_events_refuse_little() -> None:
    three = bounds(events_on(np.array([20.0, 130.0, 300.0])))
    assert all(three.allows(total) for total in (1e-6, 0.01, 1.0, 20.0))
    assert not three.allows(1_000.0)


def test_none_at_all_refuse_only_many() -> None:
    nothing = bounds(events_on(np.zeros(0)))
    assert (nothing.low, nothing.mean) == (0.0, 0.0)
    assert all(nothing.allows(total) for total in (0.0, 5.0))
    assert not nothing.allows(50.0)


def test_a_record_of_fewer_windows_than_four_says_nothing() -> None:
    ages = np.linspace(1.0, 20.0, 300)
    short = build_history(GRID, np.full(300, GRID.cells[0]), END_S - ages * DAY_S)
    snapshot = next(walk_snapshots(short, GRID, [END_S], timezone=TIMEZONE))
    assert plausible_total(snapshot, horizon_s=7 * DAY_S) is None
    assert plausible_total(snapshot, horizon_s=DAY_S) is not None


def test_a_feed_that_stopped_days_ago_does_not_refuse_the_usual() -> None:
    stopped = events_on(steady(8) + 6)
    assert bounds(stopped).allows(8.0)
    assert replace(bounds(stopped), low=0.0).allows(0.0)
