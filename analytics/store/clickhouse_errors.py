"""What an error of ClickHouse or of the way to it means."""

from clickhouse_driver.errors import ErrorCodes

from analytics.errors import (
    EventStoreUnavailableError,
    QueryBudgetError,
    ResultTooLargeError,
)
from analytics.metrics import QUERY_ERRORS
from perf.deadlines import remaining_s
from riskplatform.kernel.errors import DeadlineError

AUTHENTICATION_FAILED = 516  # newer than the driver's list
OVER_BUDGET = frozenset(
    {
        ErrorCodes.TIMEOUT_EXCEEDED,
        ErrorCodes.TOO_SLOW,
        ErrorCodes.TOO_MANY_ROWS,
        ErrorCodes.MEMORY_LIMIT_EXCEEDED,
    }
)
UNAVAILABLE = frozenset(
    {
        None,
        ErrorCodes.NETWORK_ERROR,
        ErrorCodes.SOCKET_TIMEOUT,
        ErrorCodes.TOO_MANY_SIMULTANEOUS_QUERIES,
        ErrorCodes.UNEXPECTED_PACKET_FROM_SERVER,
        AUTHENTICATION_FAILED,
    }
)
BROKEN = frozenset({None, ErrorCodes.NETWORK_ERROR})
NOT_SET_UP = frozenset({ErrorCodes.UNKNOWN_TABLE, ErrorCodes.UNKNOWN_DATABASE})


def error_code(error: Exception) -> int | None:
    """Find the code behind an error; none means that there was no answer."""
    cause = error.args[0] if error.args else None
    code = getattr(cause, "code", None)
    return code if isinstance(code, int) else None


def is_broken_off(error: Exception) -> bool:
    """Return whether the connection was closed, rather than the server silent."""
    return not isinstance(error, TimeoutError) and error_code(error) in BROKEN


def translated(name: str, error: Exception) -> Exception:
    """Translate a failure; an error in a query itself stays what it is."""
    code = error_code(error)
    if code in OVER_BUDGET:
        return _stopped(name, code)
    if code == ErrorCodes.TOO_MANY_ROWS_OR_BYTES:
        QUERY_ERRORS.labels(name, "budget").inc()
        return ResultTooLargeError(
            f"The query {name} has a larger result than one answer may hold. Ask for"
            " a shorter time, one event type or a smaller region.",
            query=name,
        )
    return _unavailable(name, code) or error


def _unavailable(name: str, code: int | None) -> EventStoreUnavailableError | None:
    if code in UNAVAILABLE:
        QUERY_ERRORS.labels(name, "unavailable").inc()
        return EventStoreUnavailableError(
            "ClickHouse, which stores the events, does not answer. Try again soon.",
            query=name,
        )
    QUERY_ERRORS.labels(name, "query").inc()
    if code in NOT_SET_UP:
        return EventStoreUnavailableError(
            "ClickHouse answers but has no event table."
            " Run manage.py migrate analytics --database clickhouse.",
            query=name,
        )
    return None


def _stopped(name: str, code: int | None) -> Exception:
    """Return the error of a query that is too large, or had too little time left."""
    left_s = remaining_s()
    if code == ErrorCodes.TIMEOUT_EXCEEDED and left_s is not None and left_s <= 0:
        QUERY_ERRORS.labels(name, "deadline").inc()
        return DeadlineError("The query had too little time left. Try again.")
    QUERY_ERRORS.labels(name, "budget").inc()
    return QueryBudgetError(
        f"The query {name} would cost more than it may. Ask for a shorter time or"
        " a smaller region.",
        query=name,
    )
