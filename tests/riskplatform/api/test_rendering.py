"""Answers are written in parts, and are what they would be as a whole."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskplatform.api.renderers import Rows, json_numbers, json_template


class Row(msgspec.Struct):
    number: int
    at: datetime


class Alone(msgspec.Struct):
    rows: list[Row]


class WithHead(msgspec.Struct):
    region: str
    id: UUID
    rows: list[Row]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("answer", [Alone([]), WithHead("chicago", uuid4(), [])])
def test_an_answer_in_parts_is_the_same(count: int, answer: Alone | WithHead) -> None:
    rows = [Row(n, datetime(2024, 1, 1, tzinfo=UTC)) for n in range(count)]
    whole = msgspec.structs.replace(answer, rows=rows)
    written = Rows(answer, iter(rows), rows_at_once=2).encode()
    assert written == msgspec.json.encode(whole)


def test_rows_are_made_as_they_are_written() -> None:
    made: list[int] = []

    def rows() -> Iterator[int]:
        for number in range(4):
            made.append(number)
            yield number

    answer = Rows(Alone([]), rows())
    assert made == []
    answer.encode()
    assert made == [0, 1, 2, 3]


class Inner(msgspec.Struct):
    low: float
    high: float


class Outer(msgspec.Struct):
    cell_id: int
    cell_hex: str
    inner: Inner
    values: list[float]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_of_an_array_are_written_exactly(numbers: list[float]) -> None:
    written = json_numbers(np.array(numbers, dtype=np.float64))
    assert [float(number) for number in written] == numbers


def test_a_number_that_json_cannot_write_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        json_numbers(np.array([0.5, np.nan]))


@given(st.integers(0, 2**63), st.lists(st.floats(-1e9, 1e9), min_size=4, max_size=4))
def test_a_filled_template_is_what_the_struct_is(cell: int, own: list[float]) -> None:
    template = json_template(
        Outer, cell_hex=b'"%b"', inner=json_template(Inner), values=b"[%b,%b]"
    )
    filled = template % (b"%d" % cell, b"%x" % cell, *json_numbers(np.array(own)))
    row = Outer(cell, f"{cell:x}", Inner(*own[:2]), own[2:])
    assert filled == msgspec.json.encode(row)
