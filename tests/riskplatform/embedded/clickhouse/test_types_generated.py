"""Nested types made up by the machine come back as they were sent."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from clickhouse_driver import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    column_type: str
    values: SearchStrategy[Any]
    is_plain: bool = False


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=200)
PLAIN = [
    Sample(column_type="UInt8", values=st.integers(0, 255), is_plain=True),
    Sample(column_type="Int64", values=st.integers(-(2**63), 2**63 - 1), is_plain=True),
    Sample(column_type="Float64", values=st.floats(allow_nan=False), is_plain=True),
    Sample(column_type="String", values=TEXT, is_plain=True),
    Sample(column_type="UUID", values=st.uuids(), is_plain=True),
    Sample(
        column_type="Date32",
        values=st.dates(date(1900, 1, 1), date(2299, 12, 31)),
        is_plain=True,
    ),
    Sample(
        column_type="LowCardinality(String)",
        values=st.sampled_from(["", "theft", "fire"]),
    ),
]


def array(inner: Sample) -> Sample:
    return Sample(
        column_type=f"Array({inner.column_type})",
        values=st.lists(inner.values, max_size=5),
    )


def nullable(inner: Sample) -> Sample:
    return Sample(
        column_type=f"Nullable({inner.column_type})",
        values=st.none() | inner.values,
    )


def pair(first: Sample, second: Sample) -> Sample:
    return Sample(
        column_type=f"Tuple(a {first.column_type}, `b c` {second.column_type})",
        values=st.tuples(first.values, second.values),
    )


def mapping(inner: Sample) -> Sample:
    return Sample(
        column_type=f"Map(String, {inner.column_type})",
        values=st.dictionaries(TEXT, inner.values, max_size=4),
    )


def nested(inner: SearchStrategy[Sample]) -> SearchStrategy[Sample]:
    plain = st.sampled_from([sample for sample in PLAIN if sample.is_plain])
    # The driver cannot take a Map with a bracketed type of two parts in it.
    return (
        inner.map(array)
        | plain.map(array).map(mapping)
        | plain.map(nullable)
        | st.builds(pair, inner, inner)
    )


SAMPLES = st.recursive(st.sampled_from(PLAIN), nested, max_leaves=4)


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_nested_type_comes_back(client: Client, data: st.DataObject) -> None:
    sample = data.draw(SAMPLES)
    values = data.draw(st.lists(sample.values, max_size=20))
    table = f"t_{uuid.uuid4().hex}"
    client.execute(
        f"CREATE TABLE {table} (i UInt32, v {sample.column_type}) "
        "ENGINE = MergeTree ORDER BY i"
    )
    client.execute(f"INSERT INTO {table} VALUES", list(enumerate(values)))
    query = " ".join(("SELECT v FROM", table, "ORDER BY i"))
    rows, columns = client.execute(query, with_column_types=True)
    assert [value for (value,) in rows] == values
    assert columns == [("v", sample.column_type)]
