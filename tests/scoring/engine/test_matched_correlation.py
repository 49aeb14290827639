import numpy as np
import pytest

from scoring.engine.correlation import matched_correlation
from scoring.engine.distributions import distribution_of
from tests.scoring.engine.rates import draw_rates
from tests.scoring.engine.regions import make_grid

GRID = make_grid(radius=7)
MEAN = np.random.default_rng(2).gamma(0.8, 0.1, len(GRID))


@pytest.mark.parametrize(
    ("alpha", "region_alpha"),
    [(0.3, 0.05), (0.3, 0.2), (2.0, 0.1), (2.0, 0.4), (8.0, 0.2), (8.0, 0.5)],
)
def test_the_total_scatters_as_asked(alpha: float, region_alpha: float) -> None:
    forecast = distribution_of(MEAN, alpha, 0.2)
    correlation = matched_correlation(GRID, forecast, region_alpha=region_alpha)

    total = draw_rates(
        forecast, n_scenarios=4_000, seed=1, correlation=correlation
    ).sum(axis=1)

    assert 0 < correlation.shared < 0.95
    assert total.var() / total.mean() ** 2 == pytest.approx(region_alpha, rel=0.35)


def test_nothing_is_shared_where_the_cells_explain_the_total() -> None:
    forecast = distribution_of(MEAN, 4.0, 0.2)

    assert matched_correlation(GRID, forecast, region_alpha=0.001).shared == 0.0
    assert (
        matched_correlation(
            GRID, distribution_of(MEAN, 0.0, 0.0), region_alpha=0.5
        ).shared
        == 0.0
    )
