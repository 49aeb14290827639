import numpy as np
import pytest
from scipy import stats

from scoring.engine.consistency import SIGNIFICANCE, number_test, spatial_score
from scoring.engine.scenarios import correlation_of, joint_ranks
from scoring.engine.scores import (
    ranked_probability_score,
    transform_histogram,
)
from tests.scoring.engine.regions import make_grid


def test_number_test_gives_both_tails_of_the_reference() -> None:
    test = number_test(7.0, 4.0, alpha=0.5)

    reference = stats.nbinom(2.0, 1 / 3.0)
    assert test.at_most == pytest.approx(reference.cdf(7))
    assert test.at_least == pytest.approx(reference.sf(6))
    assert test.is_passed


def test_number_test_fails_far_away_on_either_side() -> None:
    assert not number_test(40.0, 10.0, alpha=0.0).is_passed
    assert not number_test(1.0, 10.0, alpha=0.0).is_passed
    assert number_test(40.0, 10.0, alpha=2.0).is_passed


def test_spatial_test_passes_as_often_as_it_should_on_its_own_maps() -> None:
    rng = np.random.default_rng(1)
    mean = rng.gamma(0.5, size=60)

    scores = np.array(
        [
            spatial_score(
                mean,
                rng.multinomial(15, mean / mean.sum()).astype(np.float64),
                rng=rng,
                n_simulations=100,
            )
            for _ in range(300)
        ]
    )

    assert (scores > SIGNIFICANCE).mean() == pytest.approx(0.95, abs=0.035)


def test_spatial_test_rejects_events_in_the_wrong_place() -> None:
    mean = np.array([10.0, 0.01, 0.01])
    observed = np.array([0.0, 3.0, 2.0])

    assert spatial_score(mean, observed, rng=np.random.default_rng(2)) == 0.0
    assert spatial_score(mean, np.zeros(3), rng=np.random.default_rng(2)) == 1.0


def test_clustered_maps_pass_where_the_forecast_says_they_cluster() -> None:
    mean = np.full(50, 0.2)
    observed = np.zeros(50)
    observed[7] = 10.0
    rng = np.random.default_rng(3)

    poisson = spatial_score(mean, observed, rng=rng)
    dispersed = spatial_score(mean, observed, rng=rng, alpha=np.full(50, 40.0))

    assert poisson < SIGNIFICANCE < dispersed


@pytest.mark.parametrize(("mean", "alpha"), [(0.05, 3.0), (1.5, 0.4), (12.0, 1.0)])
def test_ranked_probability_score_is_its_definition(mean: float, alpha: float) -> None:
    counts = np.array([0.0, 1.0, 6.0])
    numbers = np.arange(3_000)
    below = stats.nbinom.cdf(numbers, 1 / alpha, 1 / (1 + alpha * mean))

    expected = [np.sum((below - (numbers >= count)) ** 2) for count in counts]

    found = ranked_probability_score(counts, np.full(3, mean), np.full(3, alpha))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_the_transform_of_the_truth_is_uniform() -> None:
    rng = np.random.default_rng(4)
    mean, alpha = rng.gamma(1.0, size=20_000), np.full(20_000, 0.8)
    observed = rng.poisson(rng.gamma(1 / 0.8, 0.8 * mean)).astype(np.float64)

    bins = transform_histogram(observed, mean, alpha)

    assert bins == pytest.approx(np.full(10, 0.1), abs=0.01)
    assert bins.sum() == pytest.approx(1.0)


def test_maps_that_cluster_in_space_pass_where_the_forecast_says_so() -> None:
    grid = make_grid(radius=5)
    correlation = correlation_of(grid, shared=0.0, range_km=20.0)
    ranks = joint_ranks(len(grid), 400, seed=1, correlation=correlation)
    west = (grid.lon - grid.lon.mean()) / grid.lon.std()
    mean, alpha = 0.3 * np.exp(west), np.full(len(grid), 4.0)
    rng = np.random.default_rng(5)
    scores = []
    for row in joint_ranks(len(grid), 3_000, seed=2, correlation=correlation)[:150]:
        rate = stats.gamma.ppf((row + 0.5) / 3_000, 0.25, scale=4.0 * mean)
        observed = rng.poisson(rate).astype(np.float64)
        scores.append(
            [
                spatial_score(mean, observed, rng=rng, alpha=alpha, ranks=each)
                for each in (ranks, None)
            ]
        )

    together, alone = (np.array(scores) > SIGNIFICANCE).mean(axis=0)
    assert together > 0.93
    assert alone < together - 0.03
