"""Nothing that a client sends reaches a file or another server."""
# ruff: noqa: ISC004, RUF001

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from riskplatform.embedded.clickhouse.access import TABLE_FUNCTIONS
from tests.embedded.clickhouse.running import RunningServer

ACCESS_DENIED = 497
SETTING_IS_FIXED = 452
SECRET = "what only the server may read"

pytestmark = pytest.mark.skipif(
    os.environ.get("RISKPLATFORM_TEST_REAL_CLICKHOUSE") == "1",
    reason="is about the embedded server itself",
)

# {path} is a file in {folder}, {out} must not come to be, {url} is an address. All are
# decoys: a form that is not refused may move or overwrite what it names.
READING = [
    "SELECT file('{path}')",
    "SELECT file ( '{path}' )",
    "SELECT file/* */('{path}')",
    "SELECT file -- where\n('{path}')",
    "SELECT file // where\n('{path}')",
    "SELECT file # where\n('{path}')",
    "SELECT `file`('{path}')",
    "SELECT \"file\"('{path}')",
    "SELECT `f\\x69le`('{path}')",
    "SELECT `f\\ile`('{path}')",
    "SELECT “file”('{path}')",
    "SELECT $$'$$, file('{path}'), $$'$$",
    "SELECT $a$'$a$, file('{path}'), $a$'$a$",
    "SELECT ‘'’, file('{path}'), ‘'’",
    "SELECT 1 // '\n, file('{path}') // '",
    "SELECT 'it''s', file('{path}'), 'it\\'s'",
    "SELECT\u00a0file\u2003('{path}')",
    "SELECT * APPLY file FROM (SELECT '{path}')",
    "SELECT * APPLY(file) FROM (SELECT '{path}')",
    "SELECT COLUMNS('a') APPLY `file` FROM (SELECT '{path}' AS a)",
    "FROM (SELECT '{path}' AS a) |> SELECT * APPLY file",
    "SELECT * REPLACE(file(a) AS a) FROM (SELECT '{path}' AS a)",
    "SELECT arrayMap(file, ['{path}'])",
    "SELECT arrayMap((file), ['{path}'])",
    "SELECT arrayMap(file AS f, ['{path}'])",
    "SELECT arrayMap(x -> file(x), ['{path}'])",
    "SELECT mapApply((k, v) -> (k, file(v)), map(1, '{path}'))",
    "WITH file('{path}') AS a SELECT a",
    "WITH x -> file(x) AS f SELECT f('{path}')",
    "SELECT 1 WHERE file('{path}') != ''",
    "SELECT 1 ORDER BY file('{path}')",
    "SELECT (SELECT file('{path}'))",
    "SELECT * FROM (SELECT * FROM file('{path}', 'LineAsString'))",
    "SELECT * FROM file('{path}')",
    "SELECT * FROM file('../../../../../../../..{path}', 'LineAsString')",
    "SELECT * FROM file('{folder}/*', 'LineAsString')",
    "SELECT * FROM FILE('{path}', 'LineAsString')",
    "SELECT count() FROM numbers(1) AS n, file('{path}', 'LineAsString') AS f",
    "SELECT * FROM fileCluster('default', '{path}', 'LineAsString')",
    "SELECT * FROM url('file://{path}', 'LineAsString')",
    "SELECT * FROM filesystem('{folder}')",
    "SELECT * FROM sqlite('{path}', 't')",
    "SELECT * FROM icebergLocal('{folder}')",
    "SELECT * FROM deltaLakeLocal('{folder}')",
    "SELECT * FROM paimonLocal('{folder}')",
    "SELECT * FROM executable('run.sh', 'LineAsString', 'line String')",
    "SELECT * FROM python(client)",
    "SELECT * FROM python('client')",
    "SELECT * FROM Python(client)",
    "SELECT * FROM arrowstream('client')",
    "SELECT * FROM eval(concat('SELECT fi', 'le(''{path}'')'))",
    "DESCRIBE file('{path}')",
    "DESCRIBE TABLE file('{path}', 'LineAsString')",
    "EXPLAIN SELECT * FROM file('{path}', 'LineAsString')",
    "EXPLAIN SELECT file('{path}')",
    "INSERT INTO t SELECT file('{path}')",
    "INSERT INTO t SELECT * FROM file('{path}', 'LineAsString')",
    "INSERT INTO t FROM INFILE '{path}' FORMAT LineAsString",
    "INSERT INTO t FROM/**/INFILE $${path}$$ COMPRESSION 'none' FORMAT CSV",
    "insert into t (a) from infile ‘{path}’ format CSV",
    "INSERT INTO t VALUES (file('{path}'))",
    "INSERT INTO t FORMAT Values (file('{path}'))",
    "CREATE TABLE x (a String DEFAULT file('{path}')) ENGINE = Memory",
    "CREATE TABLE x ENGINE = Memory AS SELECT file('{path}') AS a",
    "CREATE TABLE x AS file('{path}', 'LineAsString')",
    "CREATE TABLE x (a String) ENGINE = File('LineAsString', '{path}')",
    "ATTACH TABLE x (a String) ENGINE = File('LineAsString', '{path}')",
    "CREATE TABLE x (a String) ENGINE = FileLog('{folder}', 'LineAsString')",
    "CREATE TABLE x (a String) ENGINE = SQLite('{path}', 't')",
    "CREATE TABLE x (a String) ENGINE Executable('run.sh', 'CSV')",
    "CREATE TABLE x (a String) ENGINE = `Executable`('run.sh', 'CSV')",
    "CREATE TABLE x (a String) ENGINE = ExecutablePool('run.sh', 'CSV')",
    "CREATE VIEW x AS SELECT file('{path}') AS a",
    "CREATE MATERIALIZED VIEW x ENGINE = Memory AS SELECT file(a) AS a FROM t",
    "CREATE FUNCTION embedded_leak AS (x) -> file(x)",
    "ALTER TABLE t ADD COLUMN b String DEFAULT file('{path}')",
    "ALTER TABLE t UPDATE a = file('{path}') WHERE 1",
    "CREATE DICTIONARY x (a UInt64, b String) PRIMARY KEY a LAYOUT(FLAT()) "
    "LIFETIME(0) SOURCE(FILE(path '{path}' format 'CSV'))",
    "CREATE DATABASE x ENGINE = Filesystem('{folder}')",
    "CREATE DATABASE x ENGINE = SQLite('{path}')",
    "CREATE DATABASE x ENGINE = Backup('x', File('{folder}'))",
    "ATTACH TABLE x FROM '{folder}' (a String) ENGINE = MergeTree ORDER BY a",
    "RESTORE TABLE x FROM File('{folder}')",
    "RESTORE TABLE x FROM Disk('default', 'x')",
]
WRITING = [
    "SELECT 1 INTO OUTFILE '{out}'",
    "SELECT 1 INTO OUTFILE '{out}' FORMAT CSV",
    "select 1 into/* */outfile '{out}' truncate format CSV",
    "SELECT 1 INTO OUTFILE $${out}$$",
    "SELECT 1 INTO OUTFILE ‘{out}’ AND STDOUT",
    "SELECT 1 INTO OUTFILE x'2f746d702f78'",
    "SHOW TABLES INTO OUTFILE '{out}'",
    "DESCRIBE TABLE t INTO OUTFILE '{out}'",
    "EXPLAIN SELECT 1 INTO OUTFILE '{out}'",
    "INSERT INTO FUNCTION file('{out}', 'CSV', 'a String') VALUES ('x')",
    "INSERT INTO FUNCTION file('{out}', 'CSV', 'a String') SELECT 'x'",
    "INSERT INTO TABLE FUNCTION file('{out}', 'CSV', 'a String') FORMAT Values ('x')",
    "CREATE TABLE x (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk("
    "type = object_storage, object_storage_type = local_blob_storage, "
    "metadata_type = local, path = '{out}')",
    "CREATE TABLE x (a UInt8) ENGINE = MergeTree ORDER BY a "
    "SETTINGS disk = `di\\x73k`(type = local, path = '{out}')",
    "CREATE TABLE x (a UInt64) ENGINE = EmbeddedRocksDB(0, '{out}') PRIMARY KEY a",
    "BACKUP TABLE t TO File('{out}')",
    "BACKUP TABLE t TO Disk('default', 'x')",
]
REACHING = [
    "SELECT * FROM url('{url}', 'CSV', 'a String')",
    "SELECT * FROM urlCluster('default', '{url}', 'CSV', 'a String')",
    "SELECT * FROM s3('{url}/bucket/key', 'CSV', 'a String')",
    "SELECT * FROM gcs('{url}/bucket/key', 'CSV', 'a String')",
    "SELECT * FROM azureBlobStorage('{url}', 'c', 'b', 'a', 'a', 'CSV')",
    "SELECT * FROM hdfs('hdfs://127.0.0.1:9/x', 'CSV', 'a String')",
    "SELECT * FROM iceberg('{url}/bucket/key')",
    "SELECT * FROM deltaLake('{url}/bucket/key')",
    "SELECT * FROM hudi('{url}/bucket/key')",
    "SELECT * FROM remote('127.0.0.1', 'system', 'one')",
    "SELECT * FROM remoteSecure('127.0.0.1', 'system', 'one')",
    "SELECT * FROM mysql('127.0.0.1:9', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('127.0.0.1:9', 'd', 't', 'u', 'p')",
    "SELECT * FROM mongodb('127.0.0.1:9', 'd', 'c', 'u', 'p', 'a String')",
    "SELECT * FROM redis('127.0.0.1:9', 'k', 'k String')",
    "SELECT * FROM odbc('DSN=x', 'd', 't')",
    "SELECT * FROM jdbc('DSN=x', 'd', 't')",
    "SELECT * FROM bigquery('p', 'd', 't')",
    "SELECT aiGenerate('x')",
    "INSERT INTO FUNCTION url('{url}', 'CSV', 'a String') VALUES ('x')",
    "CREATE TABLE x (a String) ENGINE = URL('{url}', 'CSV')",
    "CREATE TABLE x (a String) ENGINE = S3('{url}/bucket/key', 'CSV')",
    "CREATE TABLE x (a String) ENGINE = Kafka('127.0.0.1:9', 't', 'g', 'CSV')",
    "CREATE TABLE x (a UInt8) ENGINE = MergeTree ORDER BY a "
    "SETTINGS disk = disk(type = web, endpoint = '{url}/')",
    "CREATE DATABASE x ENGINE = MySQL('127.0.0.1:9', 'd', 'u', 'p')",
    "CREATE DATABASE x ENGINE = PostgreSQL('127.0.0.1:9', 'd', 'u', 'p')",
    "CREATE DATABASE x ENGINE = DataLakeCatalog('{url}') SETTINGS warehouse = 'x'",
    "CREATE DATABASE x ENGINE = Remote('127.0.0.1:9', 'system')",
]
RULING = [
    "CREATE USER x",
    "CREATE ROLE x",
    "GRANT READ ON FILE TO default",
    "CREATE NAMED COLLECTION x AS a = 1",
    "SYSTEM SHUTDOWN",
    "SYSTEM KILL",
    "SYSTEM STOP LISTEN TCP",
    "SYSTEM RELOAD FUNCTIONS",
]
FIXED = [
    "SET dialect = 'kusto'",
    "SET allow_experimental_eval_table_function = 1",
    "SET format_schema = '{path}:Message'",
    "INSERT INTO t SELECT * FROM format(Template, 'a String', 'x') "
    "SETTINGS format_template_row = '{path}'",
    "INSERT INTO t SELECT * FROM format(AvroConfluent, 'a String', 'x') "
    "SETTINGS format_avro_schema_registry_url = '{url}'",
]


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
        "CREATE FUNCTION embedded_open AS (file) -> file + 1",
        "DROP FUNCTION IF EXISTS embedded_open",
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
