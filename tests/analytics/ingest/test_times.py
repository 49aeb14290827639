"""Times of events as files give them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingest.rules import RowCode
from analytics.ingest.times import parse_times
from analytics.store.clickhouse import from_milliseconds, to_milliseconds
from tests.support.chicago import NOW

CHICAGO = ZoneInfo("America/Chicago")
offsets = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))


def read(text: str, zone: ZoneInfo | None = None) -> datetime | RowCode:
    parsed = parse_times([text], latest=NOW, zone=zone)
    if parsed.faults:
        return parsed.faults[0].code
    return from_milliseconds(int(parsed.occurred_ms[0]))


@given(
    st.datetimes(
        datetime.fromisoformat("1901-01-01"),
        datetime.fromisoformat("2026-11-01"),
        timezones=offsets,
    )
)
def test_time_with_an_offset_keeps_its_millisecond(moment: datetime) -> None:
    parsed = parse_times([moment.isoformat()], latest=NOW, zone=None)

    assert parsed.faults == {}
    assert parsed.occurred_ms[0] == to_milliseconds(moment)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_fault(text: str) -> None:
    parsed = parse_times([text], latest=NOW, zone=CHICAGO)

    assert len(parsed.occurred_ms) == 1


@given(st.datetimes(), st.sampled_from(["UTC", "Pacific/Apia", "Asia/Kolkata"]))
def test_any_local_time_is_a_time_or_a_fault(moment: datetime, zone: str) -> None:
    parse_times([moment.isoformat()], latest=NOW, zone=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-07-01T12:00:00Z", datetime(2022, 7, 1, 12, tzinfo=UTC)),
        ("2022-07-01 12:00+02:00", datetime(2022, 7, 1, 10, tzinfo=UTC)),
        ("", RowCode.MISSING_VALUE),
        ("yesterday", RowCode.BAD_TIME),
        ("07/01/2022 12:00", RowCode.BAD_TIME),
        ("2022-02-30T00:00:00Z", RowCode.BAD_TIME),
        ("2022-07-01T12:00:00", RowCode.NAIVE_TIME),
        ("2026-11-23T12:00:01Z", RowCode.FUTURE_TIME),
        ("2026-11-23T12:00:00Z", NOW),
        ("1899-12-31T23:59:59Z", RowCode.TIME_OUT_OF_RANGE),
        ("0001-01-01T00:00:00+23:00", RowCode.TIME_OUT_OF_RANGE),
    ],
)
def test_time_without_a_default_zone(text: str, expected: datetime | RowCode) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-07-01T12:00:00", datetime(2022, 7, 1, 17, tzinfo=UTC)),
        ("2022-01-01", datetime(2022, 1, 1, 6, tzinfo=UTC)),
        # Clocks went from 02:00 to 03:00.
        ("2022-03-13T01:59:59", datetime(2022, 3, 13, 7, 59, 59, tzinfo=UTC)),
        ("2022-03-13T02:00:00", RowCode.NONEXISTENT_TIME),
        ("2022-03-13T03:00:00", datetime(2022, 3, 13, 8, tzinfo=UTC)),
        # Clocks went from 02:00 back to 01:00: the first 01:30 is meant.
        ("2022-11-06T01:30:00", datetime(2022, 11, 6, 6, 30, tzinfo=UTC)),
        ("2022-11-06T01:30:00-06:00", datetime(2022, 11, 6, 7, 30, tzinfo=UTC)),
    ],
)
def test_time_with_a_default_zone(text: str, expected: datetime | RowCode) -> None:
    assert read(text, CHICAGO) == expected


def test_local_times_that_clocks_showed_twice_are_counted() -> None:
    texts = ["2022-11-06T01:30:00", "2022-11-06T01:30:00-06:00", "2022-11-06T02:00:00"]

    assert parse_times(texts, latest=NOW, zone=CHICAGO).ambiguous_count == 1


@pytest.mark.parametrize("mark", ["Z", "+00:00"])
@pytest.mark.parametrize(
    "odd",
    [
        "2026-01-01T24:00:00",
        "2026-01-01T00:00:60",
        "2026-02-30T00:00:00",
        "0000-01-01T00:00:00",
        "1899-12-31T23:59:59",
        "2999-01-01T00:00:00",
        "2026-01-01T00:00:00",
        "2026-01-01t00:00:00",
        "2026-01-01 12:00:00",
        "2026-01-01T\u0660\u0660:00:00",
    ],
)
def test_many_alike_are_read_as_each_alone(odd: str, mark: str) -> None:
    texts = [f"2026-01-01T00:00:0{second}{mark}" for second in range(9)]
    texts[4] = odd + mark

    together = parse_times(texts, latest=NOW, zone=None)
    # One that is written differently sends all of them the slow way.
    slowly = parse_times([*texts, "2026-01-01T00:00:00.5Z"], latest=NOW, zone=None)

    assert together.occurred_ms.tolist() == slowly.occurred_ms.tolist()[:-1]
    assert together.faults == slowly.faults
