"""Lines with their numbers, however the bytes come in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingest import csv_lines
from analytics.ingest.csv_lines import LineSource


@given(content=st.binary(max_size=80), cuts=st.lists(st.integers(0, 80), max_size=6))
def test_lines_do_not_depend_on_how_the_bytes_are_cut(
    content: bytes, cuts: list[int]
) -> None:
    places = sorted({0, len(content), *(min(cut, len(content)) for cut in cuts)})
    pieces = [content[start:end] for start, end in pairwise(places)]

    assert list(LineSource(pieces)) == list(LineSource([content]))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_no_character_is_lost(text: str) -> None:
    lines = LineSource([b"\xef\xbb\xbf", text.encode()])

    assert "".join(lines) == text.removeprefix("\ufeff") or text.startswith("\ufeff")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_ends_a_line(end: str) -> None:
    lines = LineSource([f"a{end}b{end}c".encode()])

    assert [line.rstrip("\r\n") for line in lines] == ["a", "b", "c"]
    assert lines.number == 3


def test_lines_put_back_come_again_with_their_numbers() -> None:
    lines = LineSource([b"a\nb\nc\nd\n"])
    first, *taken = [next(lines) for _ in range(3)]

    lines.put_back(taken)

    assert first == "a\n"
    assert lines.number == 1
    assert list(lines) == ["b\n", "c\n", "d\n"]
    assert lines.number == 4


def test_bytes_that_are_not_utf8_become_lone_surrogates() -> None:
    assert list(LineSource([b"caf\xe9\n"])) == ["caf\udce9\n"]


def test_last_line_of_a_file_that_broke_off_is_not_trusted() -> None:
    assert list(LineSource([b"a\nb"], is_whole=lambda: False)) == ["a\n"]


def test_endless_line_is_cut_and_the_next_line_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(csv_lines, "MAX_LINE_BYTES", 10)
    lines = list(LineSource([b"x" * 8] * 100 + [b"\nb\n"]))

    assert len(lines) == 2
    assert 10 < len(lines[0]) < 20
    assert lines[1] == "b\n"
