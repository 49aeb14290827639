"""What the endpoints say is what the engine trains on and forecasts from."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from scoring.engine.aggregates import aggregates_at
from scoring.engine.features import feature_matrix, feature_names
from scoring.engine.grid import build_grid
from scoring.models import Region
from scoring.selectors.events import load_history
from scoring.selectors.regions import list_cell_ids
from scoring.services.registry.fitting import fit_model
from tests.scoring.features.readers import (
    ARRIVED,
    get_snapshot,
    make_reader,
    post_windows,
)
from tests.support.factories import DAY_S, make_region
from tests.support.random_events import START, store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


@pytest.mark.parametrize("days", [40.5, 150.0, 201.0])
def test_the_snapshot_holds_the_features_of_the_engine(days: float) -> None:
    region = make_region()
    region.severity_transform = Region.SeverityTransform.LOG
    region.save()
    store_random_events(region, with_severity=True)
    instant = START + timedelta(days=days)
    rows = get_snapshot(
        make_reader(), time=instant.isoformat(), known_at=ARRIVED.isoformat()
    ).json()["features"]
    grid = build_grid(list_cell_ids(region))
    expected = _features_in_numpy(region, instant)
    assert [int(row["cell_id"]) for row in rows] == grid.cells.tolist()
    assert all(tuple(row["feature_vector"]) == feature_names() for row in rows)
    found = [list(row["feature_vector"].values()) for row in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_the_windows_hold_the_counts_and_the_excitation_of_the_engine() -> None:
    region = make_region()
    store_random_events(region)
    cells = list_cell_ids(region).tolist()[::-1]
    windows = [28 * DAY_S, DAY_S, 7 * DAY_S]
    instant = START + timedelta(days=150)
    rows = post_windows(
        make_reader(),
        cell_ids=cells,
        window_sizes_sec=windows,
        time=instant.isoformat(),
        known_at=ARRIVED.isoformat(),
    ).json()["features"]
    grid = build_grid(list_cell_ids(region))
    history = load_history(region, grid, until=instant)
    aggregates = aggregates_at(history, grid, instant.timestamp())
    order = grid.index_of(np.array(cells, dtype=np.uint64))
    counts = np.column_stack(
        [aggregates.count_28d, aggregates.count_1d, aggregates.count_7d]
    )
    vectors = [row["feature_vector"] for row in rows]
    assert [v["count"] for v in vectors] == counts[order].ravel().tolist()
    assert [v["total"] for v in vectors[::3]] == aggregates.count[order].tolist()
    # The ladder of the engine has a scale of one day, in second place.
    np.testing.assert_allclose(
        [v["excitation"] for v in vectors[1::3]],
        aggregates.excitation[order, 1],
        rtol=1e-6,
        atol=1e-9,
    )


def test_scoring_the_snapshot_gives_the_forecast_back() -> None:
    region = make_region()
    store_random_events(region)
    fitted = fit_model(region, kind="poisson_glm")
    issued_for = fitted.forecasts[0].issued_for.isoformat()
    client = make_reader()
    snapshot = get_snapshot(
        client, time=issued_for, known_at=ARRIVED.isoformat(), horizon_sec=DAY_S
    ).json()
    cells = [
        {"cell_id": row["cell_id"], "features": row["feature_vector"]}
        for row in snapshot["features"]
    ]
    question = {"time": snapshot["time"], "horizon_sec": DAY_S, "cells": cells}
    zones = client.post(
        "/api/v1/score-snapshot", question, content_type="application/json"
    ).json()["zones"]
    on_map = client.get("/api/v1/risk-map", {"region": "chicago"}).json()["aggregated"]
    assert [z["distribution_params"]["p_event"] for z in zones] == pytest.approx(
        [row["p_event"] for row in on_map], rel=1e-6
    )


def _features_in_numpy(region: Region, instant: datetime) -> list[list[float]]:
    grid = build_grid(list_cell_ids(region))
    history = load_history(region, grid, until=instant)
    aggregates = aggregates_at(history, grid, instant.timestamp())
    matrix = feature_matrix(grid, aggregates, instant.timestamp(), region.timezone)
    listed: list[list[float]] = matrix.tolist()
    return listed
