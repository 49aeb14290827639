"""Rows of CSV; a bad one never takes its neighbours along."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import EventFileError
from analytics.ingest.csv_lines import LineSource
from analytics.ingest.csv_rows import CsvRows
from analytics.ingest.rows import BadRow
from analytics.ingest.rules import RowCode

GOOD = ["3", "4"]
HUGE = "x" * 1_100_000

Found = list[tuple[int, list[str] | RowCode]]


def read(content: str | bytes) -> Found:
    data = content.encode() if isinstance(content, str) else content
    rows = CsvRows(LineSource([data]), file="e.csv")
    return [
        (number, row.fault.code if isinstance(row, BadRow) else row)
        for number, row in rows
    ]


@given(
    st.lists(
        st.lists(
            st.text(
                st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])
            ),
            min_size=3,
            max_size=3,
        ).filter(lambda fields: not "".join(fields).isspace()),
        max_size=6,
    )
)
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]]) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([["a", "b", "c"], *rows])

    assert [row for _number, row in read(written.getvalue())] == rows


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_reasons(content: bytes) -> None:
    for _number, row in read(b"a,b\n" + content):
        assert isinstance(row, RowCode) or len(row) == 2


@given(st.binary(max_size=60).filter(lambda junk: not {*b'"\r\n'} & {*junk}))
def test_rows_around_junk_are_kept(junk: bytes) -> None:
    rows = read(b"a,b\n1,2\n" + junk + b"\n3,4\n")

    assert rows[0] == (2, ["1", "2"])
    assert rows[-1] == (4, ["3", "4"])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n\n1,2\n  \n3,4", [(3, ["1", "2"]), (5, ["3", "4"])]),
        ('a,b\n"x\ny",2\n3,4\n', [(2, ["x\ny", "2"]), (4, ["3", "4"])]),
        ('a,b\n5" hail,2\n', [(2, ['5" hail', "2"])]),
        ("a;b\n1,5;2\n", [(2, ["1,5", "2"])]),
        ("a\tb\r\n1\t2\r\n", [(2, ["1", "2"])]),
        ("a,b\n1\n1,2,3\n3,4\n", [(2, "ragged_row"), (3, "ragged_row"), (4, GOOD)]),
        ('a,b\n"1,2\n3,4\n', [(2, "bad_quotes"), (3, GOOD)]),
        ('a,b\n"1"x,2\n3,4\n', [(2, "bad_quotes"), (3, GOOD)]),
        ('a,b\n"1,2\n3,4\n"3",4\n', [(2, "bad_quotes"), (3, GOOD), (4, GOOD)]),
        ('a,b\n"1,2\n3,4\n3,"4"\n', [(2, "bad_quotes"), (3, GOOD), (4, GOOD)]),
        ("a,b\n1,\0\n3,4\n", [(2, "nul_byte"), (3, GOOD)]),
        (b"a,b\n1,caf\xe9\n3,4\n", [(2, "not_utf8"), (3, GOOD)]),
        (f"a,b\n1,{HUGE}\n3,4\n", [(2, "field_too_long"), (3, GOOD)]),
        (f'a,b\n1,"{HUGE[:200_000]}"\n3,4\n', [(2, "field_too_long"), (3, GOOD)]),
    ],
)
def test_rows_keep_their_line_numbers(content: str | bytes, expected: Found) -> None:
    assert read(content) == expected


def test_latin_1_is_recognised_and_shown() -> None:
    rows = CsvRows(LineSource([b"a,b\n1,caf\xe9\n"]), file="e.csv")
    ((_number, row),) = rows

    assert isinstance(row, BadRow)
    assert (row.column, row.value) == ("b", "café")
    assert row.fault.reason == (
        "the byte 0xE9 is not UTF-8; read as Latin-1 the field is 'café'."
        " Convert the file: iconv -f latin1 -t utf-8."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "e.csv is empty: it has no header."),
        (b"\n", "e.csv is empty: it has no header."),
        (
            b"caf\xe9,b\n",
            (
                "e.csv, row 1: the header is not text in UTF-8."
                " Save the file as CSV in UTF-8."
            ),
        ),
    ],
)
def test_file_without_a_usable_header_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(EventFileError) as caught:
        read(content)

    assert caught.value.message == message
