"""The map, what it is made of, and the forms it comes in."""

from typing import Any

import pytest

from scoring.models import Region
from tests.contract.walking import (
    Cast,
    require_guarded,
    require_known_fields,
    require_unchanged,
)
from tests.scoring.regions.boundaries import collection, polygon, square
from tests.support.factories import DAY_S, ISSUED_FOR, make_organisation, make_region
from tests.support.random_events import store_random_events

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
TIME = ISSUED_FOR.isoformat()


QUERY = {"region": "chicago"}
TILE = {"z": 10, "x": 262, "y": 380}


def test_a_map_is_read_by_anybody(cast: Cast, published_forecast: Region) -> None:
    nobody, cells = cast.nobody, published_forecast.cells.count()
    (listed,) = nobody.get("regions_list").results
    shown = nobody.get("regions_retrieve", slug=listed.slug)
    assert (shown.slug, shown.cell_count) == ("chicago", cells)
    boundary = nobody.send("regions_boundary_retrieve", path={"slug": "chicago"})
    assert boundary.json()["type"] == "FeatureCollection"
    drawn = nobody.get("risk_map", region="chicago", horizon_sec=DAY_S)
    assert len(drawn.aggregated) == cells
    first = drawn.aggregated[0]
    assert (first.q05 <= first.q50 <= first.q95, first.mean_risk) == (
        *(True, first.p_event),
    )
    require_unchanged(nobody, "risk_map", params=QUERY)
    assert nobody.call("risk_map", region="nowhere").parsed.code == "region_not_found"


def test_an_owner_draws_a_boundary_and_deletes_a_region(cast: Cast) -> None:
    make_region(owner=make_organisation("acme"))
    before = cast.acme.get("regions_retrieve", slug="chicago").cell_count
    known: dict[str, Any] = {"slug": "chicago"}
    drawn: dict[str, Any] = {**known, "body": collection(polygon(square(0.3)))}
    assert cast.acme.call("regions_boundary_replace", **drawn).status_code == 204
    shown = cast.nobody.send("regions_boundary_retrieve", path=known).json()
    (area,) = shown["features"]
    assert area["geometry"]["type"] == "MultiPolygon"
    assert cast.acme.get("regions_retrieve", **known).cell_count > before
    bent = {**known, "body": polygon([[0, 0], [1, 1], [1, 0], [0, 1.5], [0, 0]])}
    refused = cast.acme.call("regions_boundary_replace", **bent)
    assert (refused.status_code, refused.parsed.code) == (422, "boundary_invalid")
    assert refused.parsed.errors[0].pointer == "/geometry"
    for operation_id, rest in (
        *(("regions_boundary_replace", drawn), ("regions_delete", known)),
    ):
        require_guarded(cast, operation_id, limited=cast.reader, is_shared=True, **rest)
        strange = cast.other.call(operation_id, **rest)
        assert strange.status_code == 403
    assert cast.acme.call("regions_delete", **known).status_code == 204
    assert cast.acme.call("regions_delete", **known).status_code == 404


def test_a_map_comes_in_several_forms(cast: Cast, published_forecast: Region) -> None:
    ipc = pytest.importorskip("pyarrow.ipc")
    forms: dict[str, Any] = {
        "geojson": lambda answer: len(answer.json()["features"]),
        "csv": lambda answer: len(answer.text.splitlines()) - 1,
        "arrow": lambda answer: ipc.open_stream(answer.content).read_all().num_rows,
    }
    media_types = set()
    for name, count in forms.items():
        by_format = cast.nobody.send("risk_map", params={**QUERY, "format": name})
        media_type = by_format.headers["Content-Type"].partition(";")[0]
        by_accept = cast.nobody.send(
            "risk_map", params=QUERY, headers={"Accept": media_type}
        )
        assert by_accept.content == by_format.content
        assert count(by_format) == published_forecast.cells.count()
        media_types.add(media_type)
    assert len(media_types) == len(forms)


def test_a_map_comes_as_tiles(cast: Cast, published_forecast: Region) -> None:
    del published_forecast
    world = {"z": 0, "x": 0, "y": 0}
    whole, near = (
        cast.nobody.send("risk_map_tile", path=path, params=QUERY)
        for path in (world, TILE)
    )
    assert (whole.status_code, near.status_code) == (204, 200)
    assert near.headers["Content-Type"] == "application/vnd.mapbox-vector-tile"
    require_unchanged(cast.nobody, "risk_map_tile", path=TILE, params=QUERY)


def test_cells_are_numbers_text_and_polygons(
    cast: Cast, published_forecast: Region
) -> None:
    path = {"slug": published_forecast.slug}
    rows = cast.nobody.send("regions_cells_retrieve", path=path).json()["cells"]
    assert all(int(row["cell_hex"], 16) == int(row["cell_id"]) for row in rows)
    polygons = cast.nobody.send(
        "regions_cells_retrieve", path=path, params={"format": "geojson"}
    ).json()
    assert len(polygons["features"]) == len(rows)
    require_unchanged(cast.nobody, "regions_cells_retrieve", path=path)
    one, two = rows[:2]
    body = {
        "time": TIME,
        "horizon_sec": DAY_S,
        "cells": [{"cell_id": one["cell_id"]}, {"cell_id": two["cell_hex"]}],
        "n_scenarios": 20,
    }
    scored = cast.nobody.get("score_snapshot", body=body)
    assert [zone.cell_id for zone in scored.zones] == [one["cell_id"], two["cell_id"]]
    assert [len(zone.scenarios) for zone in scored.zones] == [20, 20]
    drawn = cast.nobody.get("risk_map", region=published_forecast.slug)
    p_events = {row.cell_id: row.p_event for row in drawn.aggregated}
    assert scored.zones[0].distribution_params.p_event == p_events[one["cell_id"]]
    require_known_fields(cast.nobody, "score_snapshot", body=body)


def test_features_are_those_of_the_model_or_of_chosen_windows(cast: Cast) -> None:
    region = make_region()
    store_random_events(region, count=100)
    snapshot = cast.reader.get(
        "features_snapshot", region="chicago", time=ISSUED_FOR, known_at=None
    )
    cells = [row.cell_id for row in snapshot.features]
    known = region.cells.values_list("h3", flat=True)
    assert sorted(map(int, cells)) == sorted(known)
    body = {
        "cell_ids": [f"{int(cells[0]):x}", cells[1]],
        "time": TIME,
        "window_sizes_sec": [DAY_S, 400 * DAY_S],
    }
    built = cast.reader.get("features_build_window", body=body)
    spans = [
        (row.cell_id, (row.window_end - row.window_start).total_seconds())
        for row in built.features
    ]
    windows = [float(DAY_S), 400.0 * DAY_S]
    assert spans == [(cell, window) for cell in cells[:2] for window in windows]
    require_known_fields(cast.reader, "features_build_window", body=body)
    require_guarded(cast, "features_build_window", is_shared=True, body=body)
    query: dict[str, Any] = {"region": "chicago", "time": ISSUED_FOR}
    require_guarded(cast, "features_snapshot", is_shared=True, **query)
    require_unchanged(
        cast.reader, "features_snapshot", params={"region": "chicago", "time": TIME}
    )
