import numpy as np
import pytest
from scipy import stats

from scoring.engine import skill
from scoring.engine.uncertainty import ratio_interval

AREA = np.ones(4)


def test_hit_rate_counts_events_in_the_flagged_area() -> None:
    mean = np.array([[4.0, 3.0, 2.0, 1.0]])
    observed = np.array([[1.0, 0.0, 2.0, 1.0]])

    rates = [
        skill.hit_rate(mean, observed, AREA, share=share)
        for share in (0.25, 0.5, 0.625, 1.0)
    ]

    assert rates == [0.25, 0.25, 0.5, 1.0]


def test_ties_count_with_their_expected_value() -> None:
    level = np.ones((1, 4))
    observed = np.array([[4.0, 0.0, 0.0, 0.0]])

    assert skill.hit_rate(level, observed, AREA, share=0.25) == 0.25
    assert skill.hit_rate(level, observed[:, ::-1], AREA, share=0.25) == 0.25


def test_cells_are_ranked_by_density() -> None:
    mean, area = np.array([[3.0, 2.0]]), np.array([3.0, 1.0])
    observed = np.array([[0.0, 1.0]])

    assert skill.hit_rate(mean, observed, area, share=0.25) == 1.0


def test_efficiency_is_one_for_the_best_map() -> None:
    observed = np.array([[0.0, 3.0, 1.0, 0.0], [2.0, 0.0, 0.0, 1.0]])

    assert skill.efficiency(observed, observed, AREA, share=0.25) == 1.0
    assert skill.efficiency(-observed, observed, AREA, share=0.25) == 0.0


def test_information_gain_is_the_mean_log_ratio_minus_the_level() -> None:
    mean, reference = np.array([[2.0, 1.0]]), np.array([[1.0, 1.0]])
    observed = np.array([[1.0, 1.0]])

    gain = skill.information_gain(mean, reference, observed)

    assert gain == pytest.approx(np.log(2.0) / 2 - (3.0 - 2.0) / 2)


def test_brier_score_is_the_mean_square() -> None:
    probability, observed = np.array([0.2, 0.6]), np.array([0.0, 3.0])

    assert skill.brier_score(probability, observed) == pytest.approx(0.1)


def test_calibration_error_is_zero_for_frequencies_and_large_for_nonsense() -> None:
    observed = np.tile([0.0, 0.0, 0.0, 1.0], 100)

    assert skill.calibration_error(np.full(400, 0.25), observed) < 1e-12
    assert skill.calibration_error(np.full(400, 0.75), observed) == pytest.approx(0.5)


def test_cumulative_is_that_of_the_reference() -> None:
    counts = np.array([-1.0, 0.0, 2.0, 5.0])
    mean, alpha = np.full(4, 1.5), np.full(4, 0.7)

    expected = stats.nbinom.cdf(counts, 1 / 0.7, 1 / (1 + 0.7 * 1.5))
    np.testing.assert_allclose(
        skill.cumulative(counts, mean, alpha), expected, rtol=1e-9
    )
    np.testing.assert_allclose(
        skill.cumulative(counts, mean, np.zeros(4)),
        stats.poisson.cdf(counts, 1.5),
        rtol=1e-9,
    )


@pytest.mark.parametrize("mean", [0.01, 0.5, 30.0])
def test_coverage_of_the_truth_is_its_level(mean: float) -> None:
    rng = np.random.default_rng(2)
    means, alphas = np.full(50_000, mean), np.full(50_000, 0.5)
    observed = rng.poisson(rng.gamma(2.0, 0.5 * means)).astype(np.float64)

    coverage = skill.interval_coverage(observed, means, alphas)

    assert coverage == pytest.approx(0.9, abs=0.005)


def test_an_interval_holds_the_ratio() -> None:
    rng = np.random.default_rng(8)
    bottom = rng.poisson(20.0, 200).astype(np.float64)
    top = 0.3 * bottom + rng.normal(0.0, 1.0, 200)

    interval = ratio_interval(top, bottom)

    assert interval.low is not None
    assert interval.high is not None
    assert interval.low < 0.3 < interval.high
    assert interval.value == top.sum() / bottom.sum()
    assert interval.high - interval.low < 0.05
    assert interval == ratio_interval(top, bottom)


def test_bins_of_windows_add_up_to_the_calibration_error() -> None:
    rng = np.random.default_rng(9)
    probability = rng.uniform(0.0, 0.4, (20, 33))
    observed = rng.poisson(0.3, (20, 33)).astype(np.float64)

    excess, cases = skill.excess_by_bin(probability, observed)

    error = np.abs(excess.sum(axis=0)).sum() / cases.sum()
    assert error == pytest.approx(skill.calibration_error(probability, observed))
    assert cases.sum(axis=0).tolist() == [66.0] * 10
    assert cases.sum(axis=1).tolist() == [33.0] * 20
