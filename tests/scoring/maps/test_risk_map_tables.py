"""The risk map as CSV and as an Arrow stream."""

import csv
import io
from typing import Any

import msgspec
import numpy as np
import pytest
from django.test import Client

from riskplatform.api.tables import Column, csv_pieces
from riskplatform.kernel import extras
from scoring.api.risk_map import RiskMapColumns
from scoring.models import Region
from tests.support.factories import DAY_S

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
ipc = pytest.importorskip("pyarrow.ipc")
ARROW = "application/vnd.apache.arrow.stream"
FIGURES = ("p_event", "mean_risk", "q05", "q50", "q95")


def get(client: Client, accept: str = "*/*", **query: Any) -> Any:
    return client.get(
        "/api/v1/risk-map", {"region": "chicago"} | query, headers={"Accept": accept}
    )


@pytest.mark.parametrize(
    ("accept", "query"), [("text/csv", {}), ("*/*", {"format": "csv"})]
)
def test_csv_has_one_row_a_cell_with_the_figures_of_the_map(
    accept: str, query: dict[str, str], published_forecast: Region, stranger: Client
) -> None:
    response = get(stranger, accept, **query)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == (
        'attachment; filename="chicago-86400s.csv"'
    )
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    on_map = get(stranger).json()
    assert [
        (row["cell_id"], row["cell_hex"], *(float(row[n]) for n in FIGURES))
        for row in rows
    ] == [
        (row["cell_id"], row["cell_hex"], *(row[n] for n in FIGURES))
        for row in on_map["aggregated"]
    ]
    facts = {(row["region"], row["time"], row["horizon_sec"]) for row in rows}
    assert facts == {("chicago", "2024-01-01T00:00:00Z", str(DAY_S))}


COLUMNS = "application/vnd.riskplatform.columns+json"


@pytest.mark.parametrize(
    ("accept", "query"), [(COLUMNS, {}), ("*/*", {"format": "columns"})]
)
def test_columns_have_the_figures_of_the_map(
    accept: str, query: dict[str, str], published_forecast: Region, stranger: Client
) -> None:
    response = get(stranger, accept, **query)
    assert response.headers["Content-Type"] == COLUMNS
    found = msgspec.json.decode(response.content, type=RiskMapColumns, strict=True)
    on_map = get(stranger).json()
    rows = on_map.pop("aggregated")
    assert msgspec.to_builtins(found.columns) == {
        name: [row[name] for row in rows] for name in rows[0]
    }
    head = {name: value for name, value in response.json().items() if name in on_map}
    assert head == on_map


def test_text_in_csv_is_no_formula() -> None:
    columns: dict[str, Column] = {
        "name": ["=1+1", "+1+1", "-1+1", "@x", "\tx", "a=b"],
        "n": np.arange(-1, 5),
    }
    assert b"".join(csv_pieces(columns, [columns])).decode().splitlines() == [
        "name,n",
        "'=1+1,-1",
        "'+1+1,0",
        "'-1+1,1",
        "'@x,2",
        "'\tx,3",
        "a=b,4",
    ]


@pytest.mark.parametrize(
    ("accept", "query"), [(ARROW, {}), ("*/*", {"format": "arrow"})]
)
def test_arrow_has_the_same_columns_and_says_which_forecast_it_is(
    accept: str, query: dict[str, str], published_forecast: Region, stranger: Client
) -> None:
    response = get(stranger, accept, **query)
    assert response.headers["Content-Type"] == ARROW
    table = ipc.open_stream(response.content).read_all()
    on_map = get(stranger).json()
    rows = [{**row, "cell_id": str(row["cell_id"])} for row in table.to_pylist()]
    assert rows == on_map["aggregated"]
    assert str(table.schema.field("cell_id").type) == "uint64"
    assert table.schema.metadata[b"forecast_id"].decode() == on_map["forecast_id"]


def test_a_box_and_a_least_probability_cut_tables_too(
    published_forecast: Region, stranger: Client
) -> None:
    body = get(stranger, format="csv", min_p=0.1).content.decode()
    assert 1 < len(body.splitlines()) < 38
    nowhere = get(stranger, format="csv", bbox="0,0,1,1").content.decode()
    assert len(nowhere.splitlines()) == 1


def test_without_the_library_arrow_is_not_acceptable(
    published_forecast: Region, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", missing)
    response = get(stranger, format="arrow")
    assert response.status_code == 406
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "pyarrow" in response.json()["detail"]


@pytest.mark.parametrize("name", ["csv", "arrow", "geojson"])
def test_a_problem_is_json_whatever_was_asked_for(name: str, stranger: Client) -> None:
    response = get(stranger, format=name)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "region_not_found"


@pytest.mark.parametrize("name", ["csv", "arrow"])
def test_a_table_that_has_not_changed_is_304(
    name: str, published_forecast: Region, stranger: Client
) -> None:
    etag = get(stranger, format=name).headers["ETag"]
    again = stranger.get(
        "/api/v1/risk-map",
        {"region": "chicago", "format": name},
        headers={"If-None-Match": etag},
    )
    assert again.status_code == 304
