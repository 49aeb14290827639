import numpy as np

from scoring.engine.aggregates import CellAggregates, aggregates_at, walk_aggregates
from scoring.engine.events import SeverityTransform, build_history
from scoring.engine.features import feature_matrix, feature_names
from scoring.engine.state import DAY_S, SCALES_S
from tests.scoring.engine.regions import START_S, TIMEZONE, make_grid, make_history


def _same(left: CellAggregates, right: CellAggregates) -> None:
    np.testing.assert_allclose(left.excitation, right.excitation, rtol=1e-9)
    for name in ("count", "count_1d", "count_7d", "count_28d", "last_occurred_s"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))


def test_aggregates_are_those_of_the_definition() -> None:
    grid = make_grid(radius=1)
    history = build_history(
        grid,
        grid.cells[[0, 0, 2, 2]],
        START_S + DAY_S * np.array([0.0, 9.5, 3.0, 10.0]),
        severity=[np.nan, 2.0, 1.0, 3.0],
        transform=SeverityTransform(kind="exponential", coefficient=1.0, reference=1),
    )

    now = aggregates_at(history, grid, START_S + 10 * DAY_S)

    assert now.count.tolist() == [2, 0, 1, 0, 0, 0, 0]
    assert now.count_1d.tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert now.count_7d.tolist() == [1, 0, 1, 0, 0, 0, 0]
    assert now.last_occurred_s[0] == START_S + 9.5 * DAY_S
    assert np.isnan(now.last_occurred_s[1])
    ages_s = DAY_S * np.array([10.0, 0.5])
    for scale, scale_s in enumerate(SCALES_S):
        expected = np.array([1.0, 10.0]) @ np.exp(-ages_s / scale_s)
        np.testing.assert_allclose(now.excitation[0, scale], expected, rtol=1e-12)


def test_an_event_counts_once_it_has_happened_and_arrived() -> None:
    grid = make_grid(radius=1)
    history = build_history(
        grid, grid.cells[[0]], [START_S], arrived_s=[START_S + DAY_S]
    )

    known = [
        aggregates_at(history, grid, START_S + DAY_S * days).count.sum()
        for days in (0.0, 0.5, 1.0, 2.0)
    ]

    assert known == [0.0, 0.0, 1.0, 1.0]


def test_an_event_at_the_instant_belongs_to_what_follows() -> None:
    grid = make_grid(radius=1)
    history = build_history(grid, grid.cells[[0]], [START_S])

    assert aggregates_at(history, grid, START_S).count.sum() == 0
    assert history.counts_between(START_S, START_S + 1, n_cells=7).sum() == 1


def test_features_ignore_everything_later() -> None:
    grid = make_grid()
    history = make_history(grid)
    instant_s = START_S + 200.3 * DAY_S
    cut = history.known_at(instant_s)

    features, without_future = (
        feature_matrix(grid, aggregates_at(h, grid, instant_s), instant_s, TIMEZONE)
        for h in (history, cut)
    )

    np.testing.assert_allclose(features, without_future, rtol=1e-9)
    assert features.shape == (len(grid), len(feature_names()))
    assert np.isfinite(features).all()


def test_walking_gives_what_single_looks_give() -> None:
    grid = make_grid(radius=2)
    history = make_history(grid, n_days=90)
    instants_s = [START_S + DAY_S * days for days in (0.0, 10.25, 40.0, 90.0)]

    walked = list(walk_aggregates(history, grid, instants_s))

    for instant_s, aggregates in zip(instants_s, walked, strict=True):
        _same(aggregates, aggregates_at(history, grid, instant_s))


def test_events_outside_the_grid_are_dropped_and_counted() -> None:
    grid, larger = make_grid(radius=1), make_grid(radius=3)

    history = build_history(grid, larger.cells, np.arange(37.0))

    assert (len(history), history.n_outside) == (7, 30)
