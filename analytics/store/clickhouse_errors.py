"""What an error of ClickHouse or of the way to it means."""

from collections.abc import Mapping

from clickhouse_driver.errors import ErrorCodes

from analytics.errors import (
    EventStoreUnavailableError,
    QueryBudgetError,
    ResultTooLargeError,
)
from analytics.metrics import QUERY_ERRORS
from perf.deadlines import remaining_s
from riskplatform.kernel.errors import ApplicationError, DeadlineError

AUTHENTICATION_FAILED = 516  # newer than the driver's list
TOO_MUCH = (
    "has a larger result than one answer may hold. Ask for a shorter time, one event"
    " type or a smaller region."
)
OVER_BUDGET = (
    QueryBudgetError,
    "would cost more than it may. Ask for a shorter time or a smaller region.",
)
TOO_LARGE: Mapping[int | None, tuple[type[ApplicationError], str]] = {
    ErrorCodes.TIMEOUT_EXCEEDED: OVER_BUDGET,
    ErrorCodes.TOO_SLOW: OVER_BUDGET,
    ErrorCodes.TOO_MANY_ROWS: OVER_BUDGET,
    ErrorCodes.MEMORY_LIMIT_EXCEEDED: OVER_BUDGET,
    ErrorCodes.TOO_MANY_ROWS_OR_BYTES: (ResultTooLargeError, TOO_MUCH),
}
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
    reason, meaning = _meaning(name, code)
    QUERY_ERRORS.labels(name, reason).inc()
    return meaning or error


def _meaning(name: str, code: int | None) -> tuple[str, Exception | None]:
    """Give the reason that is counted, and what to say instead of the error."""
    left_s = remaining_s()
    if code == ErrorCodes.TIMEOUT_EXCEEDED and left_s is not None and left_s <= 0:
        message = "The query had too little time left. Try again."
        return "deadline", DeadlineError(message)
    if code in TOO_LARGE:
        error, message = TOO_LARGE[code]
        return "budget", error(f"The query {name} {message}", query=name)
    if code in UNAVAILABLE:
        message = (
            "ClickHouse, which stores the events, does not answer. Try again soon."
        )
        return "unavailable", EventStoreUnavailableError(message, query=name)
    return "query", _not_set_up(name) if code in NOT_SET_UP else None


def _not_set_up(name: str) -> Exception:
    return EventStoreUnavailableError(
        "ClickHouse answers but has no event table. Run manage.py prepare.",
        query=name,
    )
