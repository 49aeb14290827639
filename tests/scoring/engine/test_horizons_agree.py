from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.engine.distributions import CellDistribution, distribution_of
from scoring.engine.errors import EngineError
from scoring.engine.fitting import fit_forecaster
from scoring.engine.horizons import distribution_of_longest, monotone_over_horizons
from scoring.engine.snapshots import walk_snapshots
from scoring.engine.state import DAY_S
from tests.scoring.engine.regions import START_S, TIMEZONE, make_grid, make_history

N_CELLS = 6
MEANS = arrays(np.float64, N_CELLS, elements=st.floats(1e-9, 50.0))
ALPHAS = arrays(np.float64, N_CELLS, elements=st.floats(0.0, 400.0))
VARIANCES = arrays(np.float64, N_CELLS, elements=st.floats(0.0, 3.0))
FORECASTS = st.lists(
    st.builds(distribution_of, MEANS, ALPHAS, VARIANCES), min_size=1, max_size=4
)
COLUMNS = ("mean", "alpha", "rate_variance", "p_event", "q05", "q50", "q95")


@given(FORECASTS)
def test_means_and_probabilities_never_fall_with_the_horizon(
    forecasts: list[CellDistribution],
) -> None:
    agreed = monotone_over_horizons(forecasts)

    for shorter, longer in pairwise(agreed):
        assert (longer.mean >= shorter.mean).all()
        assert (longer.p_event >= shorter.p_event).all()


@given(FORECASTS)
def test_what_agrees_keeps_its_identities_and_is_raised_only(
    forecasts: list[CellDistribution],
) -> None:
    for before, after in zip(forecasts, monotone_over_horizons(forecasts), strict=True):
        fresh = distribution_of(after.mean, after.alpha, after.rate_variance)
        for column in COLUMNS:
            np.testing.assert_array_equal(
                getattr(after, column), getattr(fresh, column)
            )
        assert (after.mean >= before.mean).all()
        assert (after.alpha <= before.alpha).all()
        assert (after.rate_variance <= before.rate_variance).all()
        assert (after.q05 <= after.p_event).all()
        assert (after.p_event <= after.q95).all()


@given(FORECASTS)
def test_agreeing_twice_changes_nothing_more(
    forecasts: list[CellDistribution],
) -> None:
    once = monotone_over_horizons(forecasts)
    twice = monotone_over_horizons(once)

    for first, second in zip(once, twice, strict=True):
        for column in COLUMNS:
            np.testing.assert_array_equal(
                getattr(first, column), getattr(second, column)
            )


def test_forecasts_that_agree_stay_as_they_are() -> None:
    day = distribution_of([0.1, 0.2], 3.0, 0.5)
    week = distribution_of([0.6, 0.9], 1.0, 0.2)

    agreed = monotone_over_horizons([day, week])

    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(agreed[1], column), getattr(week, column))


def test_the_scenarios_of_a_raised_forecast_average_to_it() -> None:
    grid = make_grid(radius=3)
    history = make_history(grid, n_days=200)
    until_s = START_S + 200 * DAY_S
    forecasters = [
        fit_forecaster(
            history,
            grid,
            horizon_s=days * DAY_S,
            timezone=TIMEZONE,
            until_s=until_s,
            kind="poisson_glm",
        )
        for days in (1, 3)
    ]
    snapshot = next(walk_snapshots(history, grid, [until_s], timezone=TIMEZONE))
    day = forecasters[0].with_level(4.0)

    raised, is_raised = distribution_of_longest([day, forecasters[1]], snapshot)
    scenarios = forecasters[1].scenarios(
        snapshot, n_scenarios=3_000, seed=1, forecast=raised
    )

    assert (raised.p_event >= day.distribution_at(snapshot).p_event).all()
    own = forecasters[1].distribution_at(snapshot)
    assert is_raised.any()
    assert (raised.p_event[~is_raised] == own.p_event[~is_raised]).all()
    _, untouched = distribution_of_longest(forecasters, snapshot)
    assert untouched.sum() < is_raised.sum()
    assert scenarios.scenario.size / 3_000 == pytest.approx(raised.mean.sum(), rel=0.03)
    with pytest.raises(EngineError, match="order of their horizons"):
        distribution_of_longest([forecasters[1], day], snapshot)


def test_refuses_forecasts_of_other_cells() -> None:
    with pytest.raises(EngineError, match="same cells"):
        monotone_over_horizons(
            [
                distribution_of([0.1], 1.0, 0.1),
                distribution_of([0.1, 0.2], 1.0, 0.1),
            ]
        )
