"""Wherever bad rows lie, exactly they are set apart, and no row is sent twice."""

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from analytics.shipping.delivery import RowFaultError, deliver
from analytics.shipping.shipments import COLUMNS, ShippedRow

MAX_ROWS = 80


def make_row(number: int, *, has_moved: bool) -> ShippedRow:
    entry = tuple(number for _ in COLUMNS)
    return ShippedRow(number, (entry, entry) if has_moved else (entry,))


@given(
    st.integers(0, MAX_ROWS),
    st.sets(st.integers(0, MAX_ROWS - 1)),
    st.sets(st.integers(0, MAX_ROWS - 1)),
)
def test_exactly_the_bad_rows_are_set_apart(
    row_count: int, bad: set[int], moved: set[int]
) -> None:
    rows = [make_row(n, has_moved=n in moved) for n in range(row_count)]
    stored: dict[str, list[object]] = {}
    tokens: list[str] = []

    def insert(columns: Mapping[str, Sequence[object]], token: str) -> None:
        tokens.append(token)
        if bad.intersection(set(columns["cell"])):
            raise RowFaultError("bad")
        stored[token] = list(columns["cell"])

    parked = deliver(rows, token="t", insert=insert)

    expected = [n for n in range(row_count) if n not in bad]
    found = [value for token in sorted(stored) for value in stored[token]]
    assert [row.event_id for row in parked] == sorted(bad & set(range(row_count)))
    assert list(dict.fromkeys(found)) == expected
    assert len(found) == len(expected) + len(moved & set(expected))
    assert len(tokens) == len(set(tokens))
