import pytest

from riskplatform.embedded.clickhouse.columns import (
    TypeName,
    element_type,
    parse_type_name,
)
from riskplatform.embedded.clickhouse.errors import QueryError
from riskplatform.embedded.clickhouse.insertstatement import read_insert
from riskplatform.embedded.clickhouse.result import ShapeMemory
from riskplatform.embedded.clickhouse.statement import Kind, read_statement


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", Kind.STREAM),
        ("  -- first\n/* then */ with 1 as a select a", Kind.STREAM),
        ("((SELECT 1))", Kind.STREAM),
        ("FROM t SELECT a", Kind.STREAM),
        ("show tables", Kind.READ),
        ("EXPLAIN SELECT 1", Kind.READ),
        ("SET a = 1", Kind.SET),
        ("insert into t values", Kind.INSERT),
        ("CREATE TABLE t (a UInt8) ENGINE = Memory", Kind.COMMAND),
    ],
)
def test_the_first_word_says_what_a_statement_wants(sql: str, kind: Kind) -> None:
    assert read_statement(sql).kind is kind


@pytest.mark.parametrize(
    ("sql", "run"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1 ; -- done\n;", "SELECT 1"),
        ("SELECT ';', `a;b`, \"c;\" FROM t", "SELECT ';', `a;b`, \"c;\" FROM t"),
        ("SELECT 'it''s; \\'; x'", "SELECT 'it''s; \\'; x'"),
        ("SELECT 1 FORMAT JSON", "SELECT 1 "),
        ("SELECT 1 format\nTSV ;", "SELECT 1 "),
        ("SELECT 'a FORMAT JSON'", "SELECT 'a FORMAT JSON'"),
        ("SELECT format AS b", "SELECT format AS b"),
    ],
)
def test_what_only_a_client_acts_on_is_cut_off(sql: str, run: str) -> None:
    assert read_statement(sql).sql == run


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "DROP TABLE a; DROP TABLE b;"])
def test_two_statements_at_once_are_refused(sql: str) -> None:
    with pytest.raises(QueryError, match="Multi-statements are not allowed"):
        read_statement(sql)


@pytest.mark.parametrize(
    ("sql", "target", "names", "clauses"),
    [
        ("INSERT INTO t VALUES", "t", (), ""),
        ("insert into table d.t (a,b) values ;", "d.t", ("a", "b"), ""),
        ('INSERT INTO "d"."my t" (`a``b`, n.x)', '"d"."my t"', ("a`b", "n.x"), ""),
        (
            "INSERT INTO t (a) SETTINGS async_insert = 1 FORMAT Native",
            "t",
            ("a",),
            "SETTINGS async_insert = 1",
        ),
        (
            "INSERT INTO FUNCTION file('a(b', 'CSV') (a) VALUES",
            "FUNCTION file('a(b', 'CSV')",
            ("a",),
            "",
        ),
        ("INSERT INTO t (* EXCEPT(a)) VALUES", "t", None, ""),
    ],
)
def test_an_insert_that_awaits_rows_is_taken_apart(
    sql: str, target: str, names: tuple[str, ...] | None, clauses: str
) -> None:
    insert = read_insert(sql)
    assert insert is not None
    assert (insert.target, insert.column_names, insert.clauses) == (
        target,
        names,
        clauses,
    )


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t (a) WITH 1 AS x SELECT x",
        "INSERT INTO t (SELECT 1)",
        "INSERT INTO t (a) (SELECT 1)",
        "INSERT INTO t FROM INFILE 'a' FORMAT CSV",
        'INSERT INTO t FORMAT JSONEachRow {"a": 1}',
    ],
)
def test_an_insert_with_rows_of_its_own_awaits_none(sql: str) -> None:
    assert read_insert(sql) is None


def test_an_insert_without_a_table_is_refused() -> None:
    with pytest.raises(QueryError, match="names no table"):
        read_insert("INSERT INTO (a) VALUES")


def test_type_names_are_split_at_their_own_commas() -> None:
    assert parse_type_name("Map(String, Tuple(a UInt8, b Array(String)))") == TypeName(
        name="Map", arguments=("String", "Tuple(a UInt8, b Array(String))")
    )
    assert parse_type_name("Enum8('a,(b' = 1, 'c\\'' = 2)").arguments == (
        "'a,(b' = 1",
        "'c\\'' = 2",
    )


@pytest.mark.parametrize(
    ("element", "column_type"),
    [
        ("UInt8", "UInt8"),
        ("lat Float64", "Float64"),
        ("`my lat` Nullable(Float64)", "Nullable(Float64)"),
        ("Enum8('a' = 1)", "Enum8('a' = 1)"),
        ("kind Enum8('a b' = 1)", "Enum8('a b' = 1)"),
    ],
)
def test_an_element_of_a_tuple_may_have_a_name(element: str, column_type: str) -> None:
    assert element_type(element) == column_type


def test_statements_that_differ_in_literals_are_of_one_shape() -> None:
    shapes = ShapeMemory()
    assert shapes.describes_first("SELECT a FROM t WHERE b = 'x' AND c > 1.5")
    shapes.remember("SELECT a FROM t WHERE b = 'x' AND c > 1.5", describe_first=False)
    assert not shapes.describes_first("SELECT a FROM t WHERE b = 'it\\'s' AND c > 7")
    assert shapes.describes_first("SELECT a1 FROM t WHERE b = 'x' AND c > 7")
