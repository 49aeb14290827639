import numpy as np
import pytest

from scoring.engine.state import DAY_S
from scoring.engine.synthetic import generate_truth, share_of_oracle
from tests.scoring.engine.regions import make_grid


def test_events_are_drawn_from_the_mean_that_is_told() -> None:
    grid = make_grid(radius=4)

    truth = generate_truth(grid, n_days=600, events_per_day=20.0, seed=3)

    days = (truth.history.occurred_s // DAY_S).astype(np.int64)
    counts = np.zeros_like(truth.mean)
    np.add.at(counts, (days, truth.history.cell_index), 1)
    residual = (counts - truth.mean) / np.sqrt(truth.mean)
    assert counts.sum() / truth.mean.sum() == pytest.approx(1.0, abs=0.02)
    assert residual.var() == pytest.approx(1.0, abs=0.05)


def test_the_same_seed_gives_the_same_truth() -> None:
    grid = make_grid(radius=2)

    first, again = (
        generate_truth(grid, n_days=50, events_per_day=5.0, seed=8) for _ in range(2)
    )

    assert np.array_equal(first.history.occurred_s, again.history.occurred_s)
    assert np.array_equal(first.mean, again.mean)


@pytest.mark.slow
def test_the_served_model_finds_most_of_what_can_be_known() -> None:
    grid = make_grid(radius=8)
    truth = generate_truth(grid, n_days=1_460, events_per_day=25.0, seed=1)

    found = share_of_oracle(truth, grid, n_test_days=292)

    assert found.oracle > 0.1
    assert found.share >= 0.85
