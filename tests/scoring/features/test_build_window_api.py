from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client

from riskplatform.api.keys.models import Scope
from scoring.api.features import WindowAnswer
from scoring.models import Region
from tests.scoring.features.readers import ARRIVED, make_reader, post_windows
from tests.support.factories import DAY_S, make_client, make_organisation, make_region
from tests.support.random_events import DAYS, store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
FOREIGN_CELL = 0x8928308280FFFFF


def cells_of(region: Region, count: int) -> list[int]:
    return list(region.cells.values_list("h3", flat=True)[:count])


def test_gives_one_row_a_cell_and_window_in_the_order_asked_for() -> None:
    region = make_region()
    store_random_events(region)
    cells, windows = cells_of(region, 3)[::-1], [7 * DAY_S, DAY_S, (DAYS + 9) * DAY_S]
    response = post_windows(
        make_reader(), cell_ids=cells, window_sizes_sec=windows, region=None
    )
    found = msgspec.json.decode(response.content, type=WindowAnswer)
    assert found.region == "chicago"
    assert [int(row.cell_id) for row in found.features] == [
        c for c in cells for _ in windows
    ]
    spans = [row.window_end - row.window_start for row in found.features[:3]]
    assert spans == [timedelta(seconds=window_s) for window_s in windows]
    for row, window_s in zip(found.features, windows * 3, strict=True):
        count = row.feature_vector["count"] or 0.0
        assert row.feature_vector["rate_per_day"] == count * DAY_S / window_s
    # The last window holds the whole record.
    for row in found.features[2::3]:
        assert row.feature_vector["count"] == row.feature_vector["total"]


def test_hex_is_accepted_and_a_quiet_cell_has_no_last_event() -> None:
    region = make_region()
    (cell,) = cells_of(region, 1)
    (row,) = post_windows(
        make_reader(), cell_ids=[f"{cell:x}"], window_sizes_sec=[DAY_S]
    ).json()["features"]
    assert row["cell_id"] == str(cell)
    assert row["feature_vector"] == {
        "count": 0.0,
        "rate_per_day": 0.0,
        "excitation": 0.0,
        "total": 0.0,
        "days_since_last": None,
    }


def test_what_had_not_arrived_is_unknown() -> None:
    region = make_region()
    store_random_events(region)
    asked = {
        "cell_ids": cells_of(region, 37),
        "window_sizes_sec": [100 * DAY_S],
        "time": (ARRIVED - timedelta(days=10)).isoformat(),
    }
    client = make_reader()
    then = post_windows(client, **asked).json()["features"]
    now = post_windows(client, **asked, known_at=ARRIVED.isoformat()).json()["features"]
    totals = [
        sum(row["feature_vector"]["total"] for row in rows) for rows in (then, now)
    ]
    assert totals[0] == 0
    assert totals[1] > 500


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"cell_ids": []}, "/cell_ids"),
        ({"cell_ids": None}, ""),
        ({"cell_ids": ["no cell"]}, "/cell_ids/0"),
        ({"cell_ids": [-1]}, "/cell_ids/0"),
        ({"cell_ids": [2**70]}, "/cell_ids/0"),
        ({"cell_ids": [1.5]}, "/cell_ids/0"),
        ({"cell_ids": [True]}, "/cell_ids/0"),
        ({"cell_ids": [FOREIGN_CELL]}, "/cell_ids/0"),
        ({"cell_ids": [0] * 20_001}, "/cell_ids"),
        ({"window_sizes_sec": []}, "/window_sizes_sec"),
        ({"window_sizes_sec": [0]}, "/window_sizes_sec/0"),
        ({"window_sizes_sec": [60, 60]}, "/window_sizes_sec/1"),
        ({"window_sizes_sec": [10**12]}, "/window_sizes_sec/0"),
        ({"window_sizes_sec": ["day"]}, "/window_sizes_sec/0"),
        ({"window_sizes_sec": [*range(1, 22)]}, "/window_sizes_sec"),
        ({"time": "2024-01-01T00:00:00"}, "/time"),
        ({"time": "0001-01-01T00:00:00Z"}, "/time"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_refuses_nonsense_with_a_pointer(changes: dict[str, Any], pointer: str) -> None:
    region = make_region()
    good = {"cell_ids": cells_of(region, 1), "window_sizes_sec": [DAY_S]}
    response = post_windows(make_reader(), **(good | changes))
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["pointer"] == pointer


def test_a_cell_given_twice_is_refused_where_it_stands() -> None:
    (cell,) = cells_of(make_region(), 1)
    twice = [cell, f"{cell:x}"]
    response = post_windows(make_reader(), cell_ids=twice, window_sizes_sec=[DAY_S])
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/cell_ids/1"


def test_needs_a_key_that_may_read_scores(stranger: Client) -> None:
    asked = {"cell_ids": cells_of(make_region(), 1), "window_sizes_sec": [DAY_S]}
    writer = make_client(make_organisation(), scopes=[Scope.EVENTS_WRITE])
    assert post_windows(stranger, **asked).status_code == 401
    assert post_windows(writer, **asked).status_code == 403
    assert post_windows(make_reader(), **asked, region="nowhere").status_code == 404
