"""Answers are written in parts, and are what they would be as a whole."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from riskplatform.api.renderers import Rows


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
