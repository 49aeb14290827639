"""Names of rows: by content, equal ones by number, the same every time."""

import random
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingest.events import EventColumns
from analytics.ingest.identity import OccurrenceCounter, RowNames, name_events

ORDER = (0, 1, 2)
word = st.text("xy ", max_size=3)
rows = st.lists(st.lists(word, min_size=3, max_size=3), max_size=30)
keys = st.lists(st.integers(0, 5).map(lambda key: key * 2**61), max_size=40)


@given(rows)
def test_no_two_rows_of_a_file_share_a_name(table: list[list[str]]) -> None:
    names = RowNames(ORDER).of(table)

    assert len(set(names)) == len(table)


@given(table=rows, cut=st.integers(0, 30))
def test_names_do_not_depend_on_chunks(table: list[list[str]], cut: int) -> None:
    whole, parts = RowNames(ORDER), RowNames(ORDER)

    assert parts.of(table[:cut]) + parts.of(table[cut:]) == whole.of(table)


@given(table=rows, seed=st.integers(0, 99))
def test_a_file_in_another_order_has_the_same_names(
    table: list[list[str]], seed: int
) -> None:
    shuffled = random.Random(seed).sample(table, len(table))  # noqa: S311 - no secret

    assert sorted(RowNames(ORDER).of(shuffled)) == sorted(RowNames(ORDER).of(table))


@given(rows)
def test_a_file_with_its_columns_in_another_order_has_the_same_names(
    table: list[list[str]],
) -> None:
    turned = [[c, a, b] for a, b, c in table]

    assert RowNames((1, 2, 0)).of(turned) == RowNames(ORDER).of(table)


def test_fields_do_not_run_together() -> None:
    names = RowNames(ORDER).of([["xy", "", ""], ["x", "y", ""], ["", "xy", ""]])

    assert len({name[:32] for name in names}) == 3


def test_second_of_two_equal_rows_is_numbered() -> None:
    first, second = RowNames(ORDER).of([["1", "2", "3"], ["1", "2", "3"]])

    assert second == f"{first}-2"


@given(st.lists(keys, max_size=12))
def test_occurrences_are_counted_over_all_chunks(chunks: list[list[int]]) -> None:
    counter, seen = OccurrenceCounter(), Counter[int]()

    for chunk in chunks:
        counted = counter.count(np.array(chunk, dtype=np.uint64))
        for key, number in zip(chunk, counted.tolist(), strict=True):
            seen[key] += 1
            assert number == seen[key]


def test_events_without_ids_are_named_by_what_they_say() -> None:
    events = EventColumns(
        occurred_ms=np.array([1, 1, 1, 1]),
        lat=np.array([1.0, 1.0, 1.0, 1.0]),
        lon=np.array([2.0, 2.0, 2.0, 2.0]),
        severity=np.array([1.0, 1.0, 2.0, np.nan]),
    )

    names = name_events(events)

    assert names[1] == f"{names[0]}-2"
    assert len(set(names)) == 4
    assert names == name_events(events)
