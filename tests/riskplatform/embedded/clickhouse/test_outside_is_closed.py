"""Nothing that a client sends reaches a file or another server."""
# ruff: noqa: ISC004, RUF001

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from riskplatform.embedded.clickhouse.access import TABLE_FUNCTIONS
from tests.riskplatform.embedded.clickhouse.outside import (
    FIXED,
    REACHING,
    READING,
    RULING,
    SECRET,
    WRITING,
)
from tests.riskplatform.embedded.clickhouse.running import RunningServer

ACCESS_DENIED = 497
SETTING_IS_FIXED = 452

pytestmark = pytest.mark.skipif(
    os.environ.get("RISKPLATFORM_TEST_REAL_CLICKHOUSE") == "1",
    reason="is about the embedded server itself",
)


@pytest.fixture
def table(client: Client) -> Client:
    client.execute("CREATE TABLE t (a String) ENGINE = MergeTree ORDER BY a")
    return client


@pytest.mark.parametrize("form", READING + WRITING + REACHING + RULING)
def test_what_reaches_outside_is_denied(
    table: Client, tmp_path: Path, form: str
) -> None:
    refused = _refused(table, tmp_path, form)
    assert refused.code == ACCESS_DENIED
    assert SECRET not in str(refused)
    assert [it.name for it in tmp_path.iterdir()] == ["secret.txt"]
    assert table.execute("SELECT count() FROM t") == [(0,)]


@pytest.mark.parametrize("form", FIXED)
def test_settings_that_name_files_and_languages_are_fixed(
    table: Client, tmp_path: Path, form: str
) -> None:
    refused = _refused(table, tmp_path, form)
    assert refused.code == SETTING_IS_FIXED
    assert SECRET not in str(refused)


def test_settings_sent_beside_a_query_are_fixed_too(
    client: Client, tmp_path: Path
) -> None:
    path = _secret(tmp_path)
    with pytest.raises(ServerException) as refused:
        client.execute(
            "SELECT * FROM format(Template, 'a String', 'x')",
            settings={"format_template_row": str(path)},
        )
    assert refused.value.code == SETTING_IS_FIXED


@pytest.mark.parametrize(
    "form",
    [
        "SELECT 'file(''a.csv'')', $$ INTO OUTFILE 'x' $$, ‘url(1)’",
        "SELECT 1 -- file('a.csv')",
        "SELECT 1 // FROM INFILE 'a.csv'",
        "SELECT /* INTO OUTFILE 'x' */ 1",
        "SELECT file, url, disk, engine FROM (SELECT 1 AS file, 2 AS url, 3 AS disk, "
        "'x' AS engine)",
        "SELECT count(file), max(url) FROM (SELECT 1 AS file, 2 AS url)",
        "SELECT arraySum(b.file) FROM (SELECT [1] AS file) AS b",
        "SELECT `file` AS `url` FROM (SELECT 'a\\\\b' AS `file`)",
        "WITH file AS (SELECT 1) SELECT * FROM file",
        "SELECT name FROM system.tables WHERE engine = 'File' LIMIT 1",
        "SELECT engine FROM system.databases WHERE engine IN ('S3', 'URL') LIMIT 1",
        "CREATE TABLE file (url String, disk UInt8) ENGINE = MergeTree ORDER BY url",
        "CREATE TABLE IF NOT EXISTS s3 (remote UInt8) ENGINE = Memory",
        "CREATE VIEW outfile AS SELECT 1 AS infile",
        "SELECT cutToFirstSignificantSubdomain('https://a.b.c'), URLHash('x')",
        "SELECT * FROM numbers(3) AS n, values('a String', 'file') AS v",
        "SELECT * FROM view(SELECT 1)",
        "SELECT * FROM generateRandom('a UInt8') LIMIT 1",
        "SELECT * FROM merge(currentDatabase(), 'nothing|t')",
        "SELECT trim(BOTH 'x' FROM 'attach')",
        "SELECT * FROM format(JSONEachRow, '{\"file\": 1}')",
        "KILL QUERY WHERE query_id = 'file(1)'",
        "DETACH TABLE t",
    ],
)
def test_ordinary_statements_may_say_the_same_words(table: Client, form: str) -> None:
    table.execute(form)


def test_a_path_names_no_table(client: Client, tmp_path: Path) -> None:
    path = _secret(tmp_path)
    for name in (f"default.`{path}`", f"'{path}'", f"`{path}`"):
        with pytest.raises(ServerException) as refused:
            client.execute(f"SELECT * FROM {name}")  # noqa: S608
        assert refused.value.code == ErrorCodes.UNKNOWN_TABLE


def test_rows_may_say_the_same_words(client: Client) -> None:
    client.execute("CREATE TABLE outfile (file String) ENGINE = Memory")
    client.execute("INSERT INTO outfile (file) VALUES", [("file('a.csv')",)])
    client.execute("INSERT INTO outfile VALUES ('url(1)'), (upper('into outfile'))")
    rows = client.execute("SELECT file FROM outfile ORDER BY file")
    assert rows == [("INTO OUTFILE",), ("file('a.csv')",), ("url(1)",)]


@pytest.mark.long
def test_no_function_of_the_engine_hands_the_file_function_on(
    client: Client, tmp_path: Path
) -> None:
    path = _secret(tmp_path)
    names = [name for (name,) in client.execute("SELECT name FROM system.functions")]
    for name in names:
        for argument in (f"['{path}']", f"'{path}'", f"map(1, '{path}')"):
            try:
                answer = client.execute(f"SELECT `{name}`(file, {argument})")
            except ServerException as error:
                answer = [(error.message,)]
            assert SECRET not in str(answer), name


def test_every_table_function_beyond_the_listed_ones_is_off(client: Client) -> None:
    names = {it for (it,) in client.execute("SELECT name FROM system.table_functions")}
    closed = sorted(names - set(TABLE_FUNCTIONS))
    assert len(closed) > 60
    for name in closed:
        with pytest.raises(ServerException) as refused:
            client.execute(f"SELECT * FROM {name}('a', 'b')")  # noqa: S608
        assert refused.value.code == ACCESS_DENIED, name


def test_the_operator_opens_a_source(
    own_server: Callable[..., RunningServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_EMBEDDED_SOURCES", "url")
    client = own_server().client()
    nobody_listens = "SELECT * FROM url('http://127.0.0.1:9/', 'CSV', 'a String')"
    with pytest.raises(ServerException, match="refused"):
        client.execute(nobody_listens, settings={"http_max_tries": 1})
    with pytest.raises(ServerException) as refused:
        client.execute("SELECT * FROM s3('http://127.0.0.1:9/b/k', 'CSV', 'a String')")
    assert refused.value.code == ACCESS_DENIED


def test_tables_in_default_survive_restarts(
    own_server: Callable[..., RunningServer],
) -> None:
    first = own_server()
    first.client().execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    first.client().execute("INSERT INTO t VALUES", [(7,)])
    first.close_clients()
    first.kill()
    for _ in range(2):
        again = own_server()
        assert again.client().execute("SELECT a FROM default.t") == [(7,)]
        again.close_clients()
        again.stop()


def _refused(client: Client, folder: Path, form: str) -> ServerException:
    path = _secret(folder)
    sql = form
    for name, value in {
        "{path}": str(path),
        "{out}": str(folder / "out"),
        "{folder}": str(folder),
        "{url}": "http://127.0.0.1:9",
    }.items():
        sql = sql.replace(name, value)
    with pytest.raises(ServerException) as refused:
        client.execute(sql)
    return refused.value


def _secret(folder: Path) -> Path:
    path = folder / "secret.txt"
    path.write_text(f"{SECRET}\n", encoding="utf-8")
    return path
