"""CSV gives a row the verdict that JSON gives it: a text is no number and no time."""

import csv
import io
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.inbox.event_input import EventInput, UnreadRow
from analytics.inbox.reading import read_array, read_csv
from analytics.ingest.rules import Fault
from tests.support.event_payloads import make_event
from tests.support.one_region import Post

ROW = {"external_id": "t1", "occurred_at": "2024-01-01T00:00:00Z"}
PLACE = {"lat": "41.85", "lon": "-87.68"}
NO_TIMES = [
    *("20240101", "2024", "202401", "45292", "45292.5", "1704067200000"),
    *("1704067200", "-1", "2024-01-01", "2024-01-01T00:00:00", "20240101T000000Z"),
    *("1e9", "0", "now", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z"),
]
NO_NUMBERS = ["01", "+1", "1_0", "0x10", ".5", "5.", "1,5", "NaN", "inf", "1e999", "٣"]


def from_csv(**fields: str) -> EventInput | Fault:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([list(fields), list(fields.values())])
    [[row]] = read_csv([text.getvalue().encode()])
    return row.fault if isinstance(row, UnreadRow) else row


def from_json(**fields: object) -> EventInput | Fault:
    [[row]] = read_array([orjson.dumps([fields])])
    return row.fault if isinstance(row, UnreadRow) else row


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused_in_csv_and_in_json(text: str) -> None:
    row = {**ROW, "occurred_at": text}
    in_csv = from_csv(**row, **PLACE)
    assert isinstance(in_csv, Fault)
    assert in_csv == from_json(**row, lat=41.85, lon=-87.68)
    assert "2026-11-23T14:05:00+01:00" in in_csv.reason


def test_a_number_is_no_time_in_json_either() -> None:
    assert isinstance(from_json(external_id="t1", occurred_at=1_704_067_200), Fault)


@pytest.mark.parametrize("name", ["severity", "amount"])
@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_json_would_not_write_is_no_number(name: str, text: str) -> None:
    assert isinstance(from_csv(**ROW, **PLACE, **{name: text}), Fault)


@pytest.mark.parametrize("text", ["1", "yes", "True", "TRUE", "on", "0"])
def test_only_true_and_false_are_booleans(text: str) -> None:
    assert isinstance(from_csv(external_id="t1", retracted=text), Fault)


def test_booleans_and_empty_fields_are_read() -> None:
    retracted = from_csv(external_id="t1", retracted="true", severity="")
    assert retracted == EventInput(external_id="t1", retracted=True)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_every_number_of_json_is_one_in_csv(number: float) -> None:
    text = msgspec.json.encode(number).decode()
    assert from_csv(external_id="t1", severity=text) == from_json(
        external_id="t1", severity=number
    )


@given(st.text(st.characters(codec="ascii", exclude_characters="\0\r\n"), min_size=1))
def test_a_text_is_never_more_in_csv_than_in_json(text: str) -> None:
    """Unless JSON itself writes the number so, both see a text and refuse it."""
    text = text.strip()
    for name in ("occurred_at", "lat", "retracted"):
        row: Any = from_csv(external_id="t1", **{name: text})
        if isinstance(row, EventInput) and text:
            as_text = from_json(external_id="t1", **{name: text})
            literal = f'[{{"external_id":"t1","{name}":{text}}}]'.encode()
            assert row == as_text or row == next(read_array([literal]))[0]


@pytest.mark.django_db
def test_no_row_of_numeric_times_is_accepted(post: Post) -> None:
    lines = [f"t{n},{text},41.85,-87.68" for n, text in enumerate(NO_TIMES)]
    body = "\n".join(["external_id,occurred_at,lat,lon", *lines]).encode()
    answer = orjson.loads(post(body, content_type="text/csv").content)
    assert answer["accepted"] == 0
    assert [row["index"] for row in answer["rejected"]] == list(range(len(NO_TIMES)))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_a_time_at_the_edge_of_the_calendar_is_refused(post: Post, moment: str) -> None:
    response = post([make_event(1, occurred_at=moment)])
    assert response.status_code == 422
    assert len(orjson.loads(response.content)["rejected"]) == 1
