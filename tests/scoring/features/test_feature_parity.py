"""Features are computed twice: in ClickHouse to serve, in numpy to train."""

from dataclasses import fields
from datetime import timedelta

import numpy as np
import pytest

from scoring.engine.aggregates import CellAggregates, aggregates_at
from scoring.engine.grid import build_grid
from scoring.models import Region
from scoring.selectors.events import load_aggregates, load_history
from scoring.selectors.regions import list_cell_ids
from tests.support.factories import make_region
from tests.support.random_events import DAYS, START, store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


@pytest.mark.parametrize("transform", Region.SeverityTransform.values)
@pytest.mark.parametrize("days", [0, 40.5, 199.99, DAYS + 30])
def test_clickhouse_and_numpy_agree_to_a_millionth(transform: str, days: float) -> None:
    region = make_region()
    region.severity_transform = transform
    store_random_events(region, with_severity=True)
    grid = build_grid(list_cell_ids(region))
    instant = START + timedelta(days=days)
    history = load_history(region, grid, until=START + timedelta(days=DAYS))
    in_numpy = aggregates_at(history, grid, instant.timestamp())
    in_clickhouse = load_aggregates(region, grid, instant=instant)
    for field in fields(CellAggregates):
        np.testing.assert_allclose(
            getattr(in_clickhouse, field.name),
            getattr(in_numpy, field.name),
            rtol=1e-6,
            err_msg=field.name,
        )
