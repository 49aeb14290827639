from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr

from scoring.engine.errors import EngineError
from scoring.engine.tails import (
    exceeded_at,
    mean_error,
    risk_score,
    tail_of,
    tail_weights,
)

ONE_TO_TEN = np.arange(1.0, 11.0)
MOSTLY_NOTHING = np.array([0.0] * 95 + [10.0, 20.0, 30.0, 40.0, 50.0])

sets_of_losses = st.lists(st.integers(0, 50).map(float), min_size=2, max_size=60)
quantiles = st.floats(0.001, 0.999)
unhurried = settings(deadline=None)


def test_var_is_an_order_statistic_and_tvar_the_mean_beyond_it() -> None:
    tail = tail_of(ONE_TO_TEN, 0.8)
    assert tail.var == 8.0
    assert tail.tvar == pytest.approx(9.5)


def test_tvar_interpolates_between_scenarios() -> None:
    """Of the worst 1.5 scenarios of ten: (10 + 0.5 * 9) / 1.5."""
    assert tail_of(ONE_TO_TEN, 0.85).tvar == pytest.approx(14.5 / 1.5)


def test_an_atom_at_the_quantile_is_split() -> None:
    """Of the worst 10 of 100 scenarios, five cost nothing."""
    tail = tail_of(MOSTLY_NOTHING, 0.9)
    assert tail.var == 0.0
    assert tail.tvar == pytest.approx(15.0)


def test_the_error_of_tvar_is_the_asymptotic_one() -> None:
    tail = tail_of(MOSTLY_NOTHING, 0.95)
    scatter = np.var([10.0, 20.0, 30.0, 40.0, 50.0])
    variance = (scatter + 0.95 * 30.0**2) / 5.0
    assert tail.tvar_error == pytest.approx(np.sqrt(variance))


def test_the_interval_of_var_is_between_order_statistics() -> None:
    """Of Binomial(1000, 0.9), 881 and 918 are the 2.5 and 97.5 per cent quantiles."""
    losses = np.arange(1.0, 1_001.0)
    tail = tail_of(losses, 0.9)
    assert (tail.var, tail.var_low, tail.var_high) == (900.0, 881.0, 919.0)


@given(st.integers(1, 3_000), quantiles)
@unhurried
def test_the_interval_of_var_holds_it_with_the_probability_stated(
    size: int, quantile: float
) -> None:
    """A loss is its own rank here, from 1 on; outside them is no bound."""
    tail = tail_of(np.arange(1.0, size + 1.0), quantile)
    below = bdtr(np.arange(size + 1.0), size, quantile)
    low, high = np.searchsorted(below, [0.025, 0.975])
    assert tail.var_low == low
    assert tail.var_high == (high + 1.0 if high < size else inf)


def test_too_few_scenarios_leave_the_interval_open() -> None:
    tail = tail_of(ONE_TO_TEN, 0.99)
    assert (tail.var, tail.var_high) == (10.0, inf)
    assert tail_of(ONE_TO_TEN, 0.01).var_low == 0.0


@pytest.mark.parametrize("quantile", [0.0, 1.0, -0.5, 2.0, float("nan")])
def test_refuses_what_is_no_quantile(quantile: float) -> None:
    with pytest.raises(EngineError, match="strictly between"):
        tail_weights(ONE_TO_TEN, quantile)


def test_products_that_round_up_do_not_move_the_rank() -> None:
    """0.07 * 100 is a little more than 7 in binary."""
    assert tail_of(np.arange(1.0, 101.0), 0.07).var == 7.0


def test_points_of_the_exceedance_curve_are_values_at_risk() -> None:
    found = exceeded_at(ONE_TO_TEN, np.array([0.5, 0.2, 0.1]))
    assert found.tolist() == [5.0, 8.0, 9.0]


def test_the_error_of_the_mean_falls_with_the_root() -> None:
    assert mean_error(ONE_TO_TEN) == pytest.approx(ONE_TO_TEN.std(ddof=1) / 10**0.5)
    assert mean_error(np.ones(1)) == 0.0


def test_the_risk_score_weighs_cells_by_value() -> None:
    assert risk_score(np.array([300.0, 100.0]), np.array([0.1, 0.5])) == 0.2
    assert risk_score(np.zeros(2), np.array([0.1, 0.5])) == pytest.approx(0.3)


@unhurried
@given(sets_of_losses, quantiles)
def test_tvar_lies_between_var_and_the_worst(
    found: list[float], quantile: float
) -> None:
    losses = np.array(found)
    tail = tail_of(losses, quantile)
    assert tail.var_low <= tail.var <= tail.var_high
    assert tail.var <= tail.tvar <= losses.max() + 1e-9
    assert tail.tvar >= losses.mean() - 1e-9
    assert tail.tvar_error >= 0.0


@unhurried
@given(sets_of_losses, quantiles)
def test_tail_weights_are_a_distribution(found: list[float], quantile: float) -> None:
    losses = np.array(found)
    weights = tail_weights(losses, quantile)
    assert weights.min() >= 0.0
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ losses == pytest.approx(tail_of(losses, quantile).tvar)


@unhurried
@given(sets_of_losses, quantiles, quantiles)
def test_var_and_tvar_grow_with_the_quantile(
    found: list[float], first: float, second: float
) -> None:
    low, high = sorted((first, second))
    losses = np.array(found)
    assert tail_of(losses, low).var <= tail_of(losses, high).var
    assert tail_of(losses, low).tvar <= tail_of(losses, high).tvar + 1e-9
