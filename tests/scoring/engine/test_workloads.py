import numpy as np
import pytest

from scoring.engine import workloads


def test_a_compact_grid_has_about_the_cells_asked_for() -> None:
    assert len(workloads.compact_grid(1_000)) == pytest.approx(1_000, rel=0.05)


def test_scenarios_have_the_means_they_are_tilted_to() -> None:
    grid = workloads.compact_grid(300)
    process = workloads.clustered_process(grid, n_steps=7)

    scenarios = workloads.draw_scenarios(process, n_scenarios=2_000)

    expected = 1.1 * process.expected().sum()
    assert scenarios.scenario.size / 2_000 == pytest.approx(expected, rel=0.05)


def test_batches_of_any_size_give_one_state() -> None:
    events = workloads.arriving_events(5_000, n_cells=50)

    small, large = (
        workloads.take_in(events, n_cells=50, batch=batch) for batch in (100, 5_000)
    )

    np.testing.assert_allclose(small, large, rtol=1e-9)


def test_the_regression_finds_what_was_put_in() -> None:
    model = workloads.fit_regression(workloads.training_rows(20_000, n_features=25))

    slopes = model.coefficients / model.scale
    assert slopes[:2] == pytest.approx([0.6, -0.4], abs=0.05)
