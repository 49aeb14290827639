from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

import pytest
from clickhouse_driver import Client

MOMENT = datetime(2024, 2, 29, 12, 30, 15, 123000, tzinfo=UTC)
IDENTIFIER = UUID("0d6ba0a5-7f1e-4a57-9d0a-3c4a1ddc3a11")
COLUMNS: list[tuple[str, list[object]]] = [
    ("Int8", [-128, 0, 127]),
    ("Int16", [-(2**15), 2**15 - 1]),
    ("Int32", [-(2**31), 2**31 - 1]),
    ("Int64", [-(2**63), 2**63 - 1]),
    ("Int128", [-(2**127), 2**127 - 1]),
    ("Int256", [-(2**255), 2**255 - 1]),
    ("UInt8", [0, 255]),
    ("UInt16", [0, 2**16 - 1]),
    ("UInt32", [0, 2**32 - 1]),
    ("UInt64", [0, 2**64 - 1]),
    ("UInt128", [0, 2**128 - 1]),
    ("UInt256", [0, 2**256 - 1]),
    ("Float32", [0.0, -1.5, float("inf")]),
    ("Float64", [0.1, -1e308, float("-inf")]),
    ("Decimal(9, 2)", [Decimal("-1234567.89")]),
    ("Decimal(18, 4)", [Decimal("12345678901234.5678")]),
    ("Decimal(38, 10)", [Decimal("1234567890123456789012345678.0123456789")]),
    ("Decimal(76, 1)", [Decimal("-1.5")]),
    ("Bool", [True, False]),
    ("String", ["", "schön\t\n'\\\0", "x" * 70_000]),
    ("FixedString(3)", ["abc", "é!"]),
    ("UUID", [IDENTIFIER]),
    ("Date", [date(1970, 1, 1), date(2149, 6, 6)]),
    ("Date32", [date(1900, 1, 1), date(2299, 12, 31)]),
    ("DateTime('UTC')", [MOMENT.replace(microsecond=0)]),
    ("DateTime64(3, 'UTC')", [MOMENT]),
    ("DateTime64(6, 'Europe/Berlin')", [MOMENT]),
    ("Enum8('a' = -1, 'b,(' = 2)", ["a", "b,("]),
    ("Enum16('low' = 1, 'high' = 30000)", ["low", "high"]),
    ("IPv4", [IPv4Address(0), IPv4Address("255.1.2.3")]),
    ("IPv6", [IPv6Address("::"), IPv6Address("2001:db8::1")]),
    ("Nullable(Int32)", [None, 7, None]),
    ("Nullable(String)", [None, "", "x"]),
    ("Nullable(DateTime64(3, 'UTC'))", [None, MOMENT]),
    ("LowCardinality(String)", ["a", "b", "a", ""]),
    ("LowCardinality(Nullable(String))", [None, "a", None, "b"]),
    ("LowCardinality(FixedString(2))", ["ab", "cd", "ab"]),
    ("Array(UInt8)", [[], [1, 2, 3], []]),
    ("Array(Array(String))", [[["a"], [], ["b", "c"]], []]),
    ("Array(Nullable(Float64))", [[None, 1.5], []]),
    ("Array(LowCardinality(String))", [["a", "b", "a"], [], ["b"]]),
    ("Map(String, UInt64)", [{}, {"a": 1, "b": 2}]),
    ("Map(LowCardinality(String), Array(Int8))", [{"a": [1], "b": []}]),
    ("Tuple(UInt8, String)", [(1, "a"), (2, "")]),
    ("Tuple(lat Float64, `the name` Nullable(String))", [(1.5, None), (0.0, "x")]),
    ("Array(Tuple(a UInt8, b Array(String)))", [[(1, ["x"]), (2, [])], []]),
    ("SimpleAggregateFunction(max, UInt64)", [1, 2**63]),
]


@pytest.mark.parametrize(("column_type", "values"), COLUMNS)
def test_values_come_back_as_they_were_sent(
    client: Client, column_type: str, values: list[object]
) -> None:
    create(client, column_type)
    client.execute("INSERT INTO t VALUES", list(enumerate(values)))
    query = "SELECT v FROM t ORDER BY i"
    # Asked twice: the server may answer a statement it knows in another way.
    for _ in range(2):
        rows, columns = client.execute(query, with_column_types=True)
        assert columns == [("v", column_type)]
        assert [plain(value) for (value,) in rows] == values


@pytest.mark.parametrize("column_type", [column_type for column_type, _ in COLUMNS])
def test_an_empty_result_has_names_and_types(client: Client, column_type: str) -> None:
    create(client, column_type)
    expected = [("i", "UInt32"), ("v", column_type)]
    answer = client.execute("SELECT * FROM t", with_column_types=True)
    assert answer == ([], expected)


def test_several_columns_of_all_kinds_stay_in_step(client: Client) -> None:
    names = [f"c{index}" for index in range(len(COLUMNS))]
    types = [column_type for column_type, _ in COLUMNS]
    columns = ", ".join(f"{n} {t}" for n, t in zip(names, types, strict=True))
    client.execute(f"CREATE TABLE t ({columns}) ENGINE = MergeTree ORDER BY c0")
    row = tuple(values[-1] for _, values in COLUMNS)
    client.execute(f"INSERT INTO t ({', '.join(names)}) VALUES", [row] * 3)
    rows = client.execute("SELECT * FROM t")
    assert [tuple(map(plain, one)) for one in rows] == [row] * 3


def test_bytes_that_are_no_text_are_kept(client: Client) -> None:
    create(client, "String")
    raw = bytes(range(256))
    client.execute("INSERT INTO t VALUES", [(1, raw)])
    answer = client.execute("SELECT v FROM t", settings={"strings_as_bytes": True})
    assert answer == [(raw,)]


def test_both_hours_of_a_clock_going_back_are_kept(client: Client) -> None:
    create(client, "DateTime('Europe/Berlin')")
    hours = [datetime(2024, 10, 27, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    client.execute("INSERT INTO t VALUES", list(enumerate(hours)))
    answer = client.execute("SELECT toUnixTimestamp(v) FROM t ORDER BY i")
    assert answer == [(int(hour.timestamp()),) for hour in hours]


def create(client: Client, column_type: str) -> None:
    client.execute(
        f"CREATE TABLE t (i UInt32, v {column_type}) ENGINE = MergeTree ORDER BY i"
    )


def plain(value: object) -> object:
    """Bring moments of any zone to UTC, as the values to compare with are."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
