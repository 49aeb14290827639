"""PostgreSQL stops a statement when the time of its request is up."""

from collections.abc import Generator

import pytest
from django.db import OperationalError, connection, transaction

from perf.deadlines import deadline
from perf.statement_timeouts import NO_STEP, STEPS_MS, step_ms
from riskplatform.kernel.errors import database_error

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has none."),
]


@pytest.fixture(autouse=True)
def fresh_session() -> Generator[None]:
    connection.close()
    yield
    connection.close()


def timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


def timeout_in(allowed_s: float) -> str:
    with deadline(allowed_s):
        return timeout()


@pytest.mark.parametrize(
    ("left_s", "step"),
    [(None, NO_STEP), (-1, 250), (0.2, 250), (0.26, 500), (29, 30_000), (999, 300_000)],
)
def test_a_statement_gets_the_first_step_that_is_long_enough(
    left_s: float | None, step: int
) -> None:
    assert step_ms(left_s) == step
    assert list(STEPS_MS) == sorted(STEPS_MS)


def test_the_timeout_follows_the_deadline_and_ends_with_it() -> None:
    assert [timeout(), timeout_in(4), timeout_in(25), timeout()] == [
        "0",
        "5s",
        "30s",
        "0",
    ]


def test_the_same_step_is_set_once() -> None:
    said: list[str] = []
    timeout_in(25)
    session = connection.connection
    told = session.execute

    def tell(sql: str) -> object:
        said.append(sql)
        return told(sql)

    session.execute = tell
    assert [timeout_in(20), timeout_in(28), timeout_in(3)] == ["30s", "30s", "5s"]
    assert said == ["SET SESSION statement_timeout TO 5000"]


def test_a_statement_that_takes_too_long_is_stopped_and_is_late() -> None:
    with (
        deadline(0.1),
        pytest.raises(OperationalError) as raised,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_sleep(30)")
    error = database_error(raised.value)
    assert (error.code, error.status, error.retry_after_s) == ("timed_out", 503, 1)


def test_a_transaction_has_its_own_timeout_that_ends_with_it() -> None:
    timeout_in(4)
    with transaction.atomic():
        within = timeout_in(25)
    assert [within, timeout_in(4), timeout()] == ["30s", "5s", "0"]


def test_a_rolled_back_savepoint_does_not_leave_an_earlier_timeout() -> None:
    with transaction.atomic():
        before = timeout_in(0.1)
        savepoint = transaction.savepoint()
        during = timeout_in(25)
        transaction.savepoint_rollback(savepoint)
        after = timeout_in(25)
    assert [before, during, after] == ["250ms", "30s", "30s"]


def test_a_rolled_back_transaction_does_not_leave_its_timeout() -> None:
    with transaction.atomic():
        timeout_in(0.2)
        transaction.set_rollback(True)
    assert [timeout_in(25), timeout()] == ["30s", "0"]


def test_after_a_failed_statement_the_error_is_the_statements_own() -> None:
    with (
        pytest.raises(OperationalError, match="statement timeout"),
        transaction.atomic(),
        deadline(0.1),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_sleep(30)")
    assert timeout() == "0"
