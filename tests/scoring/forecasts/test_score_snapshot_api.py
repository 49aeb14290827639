from typing import Any

import h3.api.basic_int as h3
import msgspec
import numpy as np
import pytest
from django.test import Client

from scoring.api.score_snapshot import Snapshot, SnapshotColumns
from scoring.models import Region
from tests.support.factories import DAY_S

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


BODY = {"region": "chicago", "time": "2024-01-02T00:00:00Z", "horizon_sec": DAY_S}


def post(client: Client, **changes: Any) -> Any:
    return client.post(
        "/api/v1/score-snapshot",
        {name: value for name, value in (BODY | changes).items() if value is not None},
        content_type="application/json",
    )


def cell_ids(region: Region, count: int) -> list[int]:
    return list(region.cells.values_list("h3", flat=True)[:count])


def test_scores_cells_in_the_order_asked_for(
    published_forecast: Region, stranger: Client
) -> None:
    asked = cell_ids(published_forecast, 5)[::-1]
    response = post(stranger, cells=[{"cell_id": cell} for cell in asked])
    snapshot = msgspec.json.decode(response.content, type=Snapshot)
    assert [int(zone.cell_id) for zone in snapshot.zones] == asked
    assert [len(zone.scenarios) for zone in snapshot.zones] == [50] * 5


def test_agrees_with_the_risk_map(published_forecast: Region, stranger: Client) -> None:
    on_map = stranger.get("/api/v1/risk-map", {"region": "chicago"}).json()[
        "aggregated"
    ]
    response = post(stranger, cells=[{"cell_id": row["cell_id"]} for row in on_map])
    zones = response.json()["zones"]
    names = ("p_event", "q05", "q50", "q95")
    assert [zone["distribution_params"] for zone in zones] == [
        {name: row[name] for name in names} for row in on_map
    ]


def test_columns_have_the_same_figures(
    published_forecast: Region, stranger: Client
) -> None:
    cells = [{"cell_id": cell} for cell in cell_ids(published_forecast, 5)[::-1]]
    accept = "application/vnd.riskplatform.columns+json"
    zones = post(stranger, cells=cells, n_scenarios=7).json()["zones"]
    response = stranger.post(
        "/api/v1/score-snapshot",
        {**BODY, "cells": cells, "n_scenarios": 7},
        content_type="application/json",
        headers={"Accept": accept},
    )
    assert response.headers["Content-Type"] == accept
    found = msgspec.json.decode(response.content, type=SnapshotColumns).columns
    assert found.cell_id == [zone["cell_id"] for zone in zones]
    assert found.cell_hex == [zone["cell_hex"] for zone in zones]
    shown = [zone["distribution_params"] for zone in zones]
    for name in ("p_event", "q05", "q50", "q95"):
        assert getattr(found, name) == [distribution[name] for distribution in shown]
    assert found.risk_values == [
        [scenario["risk_value"] for scenario in zone["scenarios"]] for zone in zones
    ]


def test_scenarios_average_to_the_probability(
    published_forecast: Region, stranger: Client
) -> None:
    cells = [{"cell_id": cell} for cell in cell_ids(published_forecast, 37)]
    zones = post(stranger, cells=cells, n_scenarios=20).json()["zones"]
    probability = np.array([z["distribution_params"]["p_event"] for z in zones])
    means = np.array(
        [np.mean([s["risk_value"] for s in zone["scenarios"]]) for zone in zones]
    )
    np.testing.assert_allclose(means, probability, rtol=1e-9)


def test_a_cell_has_the_same_scenarios_whatever_is_asked_with_it(
    published_forecast: Region, stranger: Client
) -> None:
    first, second = cell_ids(published_forecast, 2)
    alone = post(stranger, cells=[{"cell_id": second}]).json()["zones"][0]
    both = post(stranger, cells=[{"cell_id": first}, {"cell_id": second}])
    assert both.json()["zones"][1] == alone


def test_takes_cells_in_hex_and_finds_their_region(
    published_forecast: Region, stranger: Client
) -> None:
    cell = cell_ids(published_forecast, 1)[0]
    response = post(stranger, region=None, cells=[{"cell_id": f"{cell:x}"}])
    assert response.json()["region"] == "chicago"
    assert response.json()["zones"][0]["cell_id"] == str(cell)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"cells": []}, "/cells"),
        ({"cells": [{"cell_id": True}]}, "/cells/0/cell_id"),
        ({"cells": [{"cell_id": 12}]}, "/cells/0/cell_id"),
        ({"cells": [{"cell_id": "zz"}]}, "/cells/0/cell_id"),
        ({"cells": [{"cell_id": 10**400}]}, "/cells/0/cell_id"),
        ({"cells": [{"cell_id": -5}]}, "/cells/0/cell_id"),
        ({"cells": [{"cell_id": 613196570331971583}]}, "/cells/0/cell_id"),
        ({"n_scenarios": 10_001}, "/n_scenarios"),
        ({"time": "2024-01-02T00:00:00"}, "/time"),
        ({"horizon_sec": 0}, "/horizon_sec"),
        ({"colour": "red"}, "/colour"),
        ({"cells": [{"cell_id": 12, "a/b": 1}]}, "/cells/0/a~1b"),
    ],
)
def test_refuses_nonsense_with_a_pointer(
    changes: dict[str, Any],
    pointer: str,
    published_forecast: Region,
    stranger: Client,
) -> None:
    cells = [{"cell_id": cell_ids(published_forecast, 1)[0]}]
    response = post(stranger, **({"cells": cells} | changes))
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"time": "2024-01-02T00:00:00Z", "horizon_sec": NaN}',
    ],
)
def test_a_body_that_is_not_json_is_a_400(
    body: bytes, published_forecast: Region, stranger: Client
) -> None:
    response = stranger.post(
        "/api/v1/score-snapshot", body, content_type="application/json"
    )
    assert response.status_code == 400
    assert response.json()["code"] == "malformed_body"


def test_deep_nesting_is_refused_like_any_other_shape(stranger: Client) -> None:
    response = stranger.post(
        "/api/v1/score-snapshot", b"[" * 100_000, content_type="application/json"
    )
    assert response.status_code == 422


def test_a_place_stands_for_the_cell_it_lies_in(
    published_forecast: Region, stranger: Client
) -> None:
    first, second = cell_ids(published_forecast, 2)
    lat, lon = h3.cell_to_latlng(first)
    by_place = {"lat": lat, "lon": lon}
    cells = [by_place, {"cell_id": second}]
    for region in (published_forecast.slug, None):
        zones = post(stranger, region=region, cells=cells).json()["zones"]
        assert [zone["cell_id"] for zone in zones] == [str(first), str(second)]
        ids = [{"cell_id": first}, {"cell_id": second}]
        assert zones == post(stranger, region=region, cells=ids).json()["zones"]
    twice = post(stranger, cells=[by_place, {"cell_id": first}])
    assert twice.json()["errors"][0]["pointer"] == "/cells/1"
    for wrong in ({"lat": lat}, {**by_place, "cell_id": first}, {}):
        refused = post(stranger, cells=[{"cell_id": second}, wrong])
        assert refused.json()["errors"] == [
            {
                "pointer": "/cells/1",
                "reason": "A cell is named by cell_id, or by lat and lon.",
            }
        ]
    nowhere = post(stranger, region=None, cells=[{"lat": 0, "lon": 0}])
    assert nowhere.json()["detail"] == (
        "No region holds the place 0, 0. Name the region."
    )
