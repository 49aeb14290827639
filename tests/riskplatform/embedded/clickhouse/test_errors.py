from collections.abc import Callable

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from tests.riskplatform.embedded.clickhouse.running import Endpoint, RunningServer

AUTHENTICATION_FAILED = 516


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELEC 1", ErrorCodes.SYNTAX_ERROR),
        ("", ErrorCodes.SYNTAX_ERROR),
        ("SELECT 1; SELECT 2", ErrorCodes.SYNTAX_ERROR),
        ("SELECT * FROM nowhere", ErrorCodes.UNKNOWN_TABLE),
        ("INSERT INTO nowhere (a) VALUES", ErrorCodes.UNKNOWN_TABLE),
        ("SELECT nothing", ErrorCodes.UNKNOWN_IDENTIFIER),
        ("SELECT nosuch(1)", ErrorCodes.UNKNOWN_FUNCTION),
        ("SELECT intDiv(1, 0)", ErrorCodes.ILLEGAL_DIVISION),
        ("USE nowhere", ErrorCodes.UNKNOWN_DATABASE),
        ("SET nosuch = 1", ErrorCodes.UNKNOWN_SETTING),
        ("CREATE TABLE t (a Nosuch) ENGINE = Memory", ErrorCodes.UNKNOWN_TYPE),
        (
            "SELECT throwIf(number = 200000) FROM numbers(300000)",
            ErrorCodes.FUNCTION_THROW_IF_VALUE_IS_NON_ZERO,
        ),
    ],
)
def test_a_failed_statement_has_its_code_and_the_client_goes_on(
    client: Client, query: str, code: int
) -> None:
    with pytest.raises(ServerException) as failed:
        client.execute(query, [] if "VALUES" in query else None)
    assert failed.value.code == code
    assert "DB::Exception: " in failed.value.message
    assert client.execute("SELECT 1") == [(1,)]


def test_a_syntax_error_names_the_place_in_the_clients_statement(
    client: Client,
) -> None:
    with pytest.raises(ServerException, match=r"failed at position 15 \(t\)"):
        client.execute("SELECT 1 AS a t x")


def test_an_unknown_column_of_an_insert_is_named(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    with pytest.raises(ServerException, match="No such column wrong") as failed:
        client.execute("INSERT INTO t (a, wrong) VALUES", [(1, 2)])
    assert failed.value.code == ErrorCodes.NO_SUCH_COLUMN_IN_TABLE


def test_an_error_in_the_middle_of_a_stream_reaches_the_client(client: Client) -> None:
    query = "SELECT throwIf(number = 2000) FROM numbers(3000)"
    rows = client.execute_iter(query, settings={"max_block_size": 100})
    with pytest.raises(ServerException) as failed:
        list(rows)
    assert failed.value.code == ErrorCodes.FUNCTION_THROW_IF_VALUE_IS_NON_ZERO


def test_a_database_that_does_not_exist_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(ServerException) as failed:
        endpoint.client("nowhere").execute("SELECT 1")
    assert failed.value.code == ErrorCodes.UNKNOWN_DATABASE


def test_a_wrong_password_is_refused(endpoint: Endpoint) -> None:
    stranger = Client(
        endpoint.host, port=endpoint.port, user=endpoint.user, password="wrong"
    )
    with pytest.raises(ServerException) as failed:
        stranger.execute("SELECT 1")
    assert failed.value.code == AUTHENTICATION_FAILED


def test_an_unknown_user_is_refused(endpoint: Endpoint) -> None:
    stranger = Client(
        endpoint.host, port=endpoint.port, user="nobody", password=endpoint.password
    )
    with pytest.raises(ServerException) as failed:
        stranger.execute("SELECT 1")
    assert failed.value.code == AUTHENTICATION_FAILED


def test_an_unknown_setting_of_a_client_does_no_harm(client: Client) -> None:
    assert client.execute("SELECT 1", settings={"no_such_setting": 1}) == [(1,)]


def test_an_unknown_important_setting_is_refused(endpoint: Endpoint) -> None:
    client = endpoint.client(settings_is_important=True)
    with pytest.raises(ServerException) as failed:
        client.execute("SELECT 1", settings={"no_such_setting": 1})
    assert failed.value.code == ErrorCodes.UNKNOWN_SETTING


def test_what_the_embedded_server_cannot_do_is_refused_in_words(
    own_server: Callable[[], RunningServer],
) -> None:
    client = own_server().client()
    table = {"name": "more", "structure": [("a", "UInt8")], "data": [{"a": 1}]}
    with pytest.raises(ServerException, match="takes no external tables"):
        client.execute("SELECT * FROM more", external_tables=[table])
    client.execute("CREATE TABLE t (a Variant(UInt8, String)) ENGINE = Memory")
    with pytest.raises(ServerException, match="cannot receive a of type Variant"):
        client.execute("INSERT INTO t VALUES", [(1,)])
    assert client.execute("SELECT 1") == [(1,)]
