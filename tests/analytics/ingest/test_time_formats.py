"""Declared formats of times: what fits is read, and nothing is guessed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import ReadingOptionsError
from analytics.ingest.suggestions import formats_that_fit
from analytics.ingest.time_formats import reader_of
from tests.support.chicago import NOW


@pytest.mark.parametrize(
    ("time_format", "text", "expected"),
    [
        ("%m/%d/%Y %I:%M:%S %p", "01/05/2023 12:05:00 AM", "2023-01-05T00:05:00"),
        ("%m/%d/%Y %I:%M %p", "1/5/2023 12:05 pm", "2023-01-05T12:05:00"),
        ("%m/%d/%Y %I:%M %p", "1/5/2023 13:05 PM", None),
        ("%d/%m/%Y", "31/12/2022", "2022-12-31T00:00:00"),
        ("%m/%d/%Y", "31/12/2022", None),
        ("%d-%b-%y %H:%M:%S", "28-APR-50 14:45:00", "1950-04-28T14:45:00"),
        ("%d-%b-%y", "01-JAN-26", "2026-01-01T00:00:00"),
        ("%d-%b-%y", "31-DEC-26", "1926-12-31T00:00:00"),
        ("%Y-%m-%d %H%M", "2023-01-05 30", "2023-01-05T00:30:00"),
        ("%Y-%m-%d %H%M", "2023-01-05 130", "2023-01-05T01:30:00"),
        ("%Y-%m-%d %H%M", "2023-01-05 2400", "2023-01-06T00:00:00"),
        ("%Y%m%d", "20230105", "2023-01-05T00:00:00"),
        ("%Y%m%d", "2023111", None),
        ("%Y-%m", "2023-07", "2023-07-01T00:00:00"),
        ("%d.%m.%Y %H:%M:%S", "5.1.2023 4:12:60", "2023-01-05T04:13:00"),
        ("%Y-%j", "2023-032", "2023-02-01T00:00:00"),
        ("%d %B %Y|iso", "01 January 2023", "2023-01-01T00:00:00"),
        ("%d %B %Y|iso", "2023-01-01", "2023-01-01T00:00:00"),
        ("%d-%b-%y %Z", "28-APR-50 CST", "1950-04-28T00:00:00-06:00"),
        ("%d-%b-%y %Z", "28-APR-50 CST-6", "1950-04-28T00:00:00-06:00"),
        ("%d-%b-%y %Z", "28-APR-50 XYZ", None),
        ("%Y-%m-%d %H:%M %z", "2023-01-01 00:00 +0530", "2023-01-01T00:00:00+05:30"),
        ("epoch_s", "1704067200", "2024-01-01T00:00:00+00:00"),
        ("epoch_s", "1.7040672e+09", "2024-01-01T00:00:00+00:00"),
        ("epoch_ms", "-315619200000", "1960-01-01T00:00:00+00:00"),
        ("epoch_ms", "9" * 5_000, None),
        ("excel", "45292.5", "2024-01-01T12:00:00"),
        ("excel", "2024-01-01", None),
    ],
)
def test_a_text_is_read_in_a_format(
    time_format: str, text: str, expected: str | None
) -> None:
    moment = reader_of(time_format, NOW)(text)

    assert (moment and moment.isoformat()) == expected


@pytest.mark.parametrize("time_format", ["yesterday", "%Q", "%Y %Y"])
def test_a_format_that_is_none_is_refused(time_format: str) -> None:
    with pytest.raises(ReadingOptionsError):
        reader_of(time_format, NOW)


@given(
    st.datetimes(datetime.fromisoformat("1970-01-01"), NOW.replace(tzinfo=None)),
    st.sampled_from(["%m/%d/%Y %I:%M:%S %p", "%d-%b-%Y %H:%M:%S", "%Y%m%d%H%M%S"]),
)
def test_what_strptime_writes_is_read_back(moment: datetime, time_format: str) -> None:
    whole = moment.replace(microsecond=0)

    assert reader_of(time_format, NOW)(whole.strftime(time_format)) == whole


@given(st.text(max_size=30), st.sampled_from(["iso", "epoch_ms", "excel", "%d.%m.%y"]))
def test_any_text_is_a_time_or_none(text: str, time_format: str) -> None:
    moment = reader_of(time_format, NOW)(text)

    assert moment is None or isinstance(moment, datetime)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["01/05/2023", "12/31/2022"], ["%m/%d/%Y"]),
        (["01/05/2023", "02/03/2022"], ["%m/%d/%Y", "%d/%m/%Y"]),
        (["1704067200000"], ["epoch_ms"]),
        (["1704067200"], ["epoch_s"]),
        (["45292.5", "45300"], ["excel"]),
        (["28-APR-50 14:45:00"], ["%d-%b-%y %H:%M:%S"]),
        (["01/05/2023", "soon"], []),
        ([], []),
    ],
)
def test_the_formats_that_all_texts_have_are_found(
    texts: list[str], expected: list[str]
) -> None:
    assert formats_that_fit(texts, datetime(2026, 11, 23, tzinfo=UTC)) == expected
