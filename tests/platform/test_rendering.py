"""Answers are written in parts, and are what they would be as a whole."""

from datetime import UTC, datetime
from uuid import uuid4

import orjson
import pytest

from riskplatform.api.renderers import GeoJsonRenderer, rows_response


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("head", [{}, {"region": "chicago", "id": uuid4()}])
def test_an_answer_in_parts_is_the_same(count: int, head: dict[str, object]) -> None:
    rows = [{"number": n, "at": datetime(2024, 1, 1, tzinfo=UTC)} for n in range(count)]
    answer = rows_response(head, "rows", iter(rows), rows_at_once=2)
    whole = orjson.dumps({**head, "rows": rows}, default=str, option=orjson.OPT_UTC_Z)
    assert answer.content == whole
    assert answer["Content-Type"] == "application/json"


def test_rows_are_made_as_they_are_written() -> None:
    made: list[int] = []

    def rows() -> object:
        for number in range(4):
            made.append(number)
            yield number

    rows_response({}, "rows", rows(), renderer=GeoJsonRenderer)  # type: ignore[arg-type]
    assert made == [0, 1, 2, 3]
