"""The only door to ClickHouse: named queries, each with a budget and a metric."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from clickhouse_driver.errors import ErrorCodes
from django.db import Error, connections
from django.db.models import QuerySet
from numpy.typing import NDArray

from analytics.errors import EventStoreUnavailableError, QueryBudgetError
from analytics.metrics import QUERY_ERRORS, QUERY_SECONDS
from analytics.replicas import read_from
from perf.deadlines import check_deadline, remaining_s
from riskplatform.kernel.errors import DeadlineError

DATABASE = "clickhouse"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# DateTime64 holds times from EARLIEST on, and some years beyond LATEST.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2286, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

SqlValue = str | int | float | datetime | Sequence[float] | Sequence[str] | bytes | None
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one query may cost before ClickHouse stops it."""

    max_seconds: int = 10
    max_rows: int = 500_000_000
    max_query_bytes: int = 1 << 18
    # Whether a replica that is a little behind may answer as well.
    may_lag: bool = False


STANDARD = Budget()
DISPLAY = Budget(may_lag=True)
# Passing many values makes the text of a query long.
LOOKUP = Budget(max_seconds=60, max_query_bytes=1 << 25)
WRITE = Budget(max_seconds=300)

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
NOT_SET_UP = frozenset({ErrorCodes.UNKNOWN_TABLE, ErrorCodes.UNKNOWN_DATABASE})
ARRAY_TYPES: Mapping[str, type[np.generic]] = {
    "Float64": np.float64,
    "Float32": np.float32,
    "Int64": np.int64,
    "Int32": np.int32,
    "UInt64": np.uint64,
    "UInt32": np.uint32,
    "UInt16": np.uint16,
    "UInt8": np.uint8,
}


def fetch_columns(
    name: str,
    sql: str,
    params: Mapping[str, SqlValue] | None = None,
    *,
    budget: Budget = STANDARD,
) -> Columns:
    """Give each column of the answer as an array, empty ones included.

    Missing floats are NaN; what is no number is an object. A per cent sign in
    the query is written twice.
    """

    def ask(alias: str) -> Columns:
        with _query(name, budget, alias) as cursor:
            # The driver's own numpy reading would import pandas.
            cursor.cursor.columnar = True
            cursor.execute(sql, params or {})
            columns = cursor.fetchall() or [()] * len(cursor.columns_with_types)
            return {
                column: _array(values, ch_type)
                for (column, ch_type), values in zip(
                    cursor.columns_with_types, columns, strict=True
                )
            }

    return read_from(DATABASE, name, ask, may_lag=budget.may_lag)


def fetch_rows(
    name: str,
    sql: str,
    params: Mapping[str, SqlValue] | None = None,
    *,
    budget: Budget = STANDARD,
) -> list[tuple[Any, ...]]:
    def ask(alias: str) -> list[tuple[Any, ...]]:
        with _query(name, budget, alias) as cursor:
            cursor.execute(sql, params or {})
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    return read_from(DATABASE, name, ask, may_lag=budget.may_lag)


def run_statement(
    name: str,
    sql: str,
    params: Mapping[str, SqlValue] | None = None,
    *,
    budget: Budget = WRITE,
) -> None:
    """Run what answers nothing: INSERT … SELECT, ALTER, CREATE, DROP."""
    with _query(name, budget) as cursor:
        cursor.execute(sql, params or {})


def to_milliseconds(moment: datetime) -> int:
    """Give milliseconds since 1970, as DateTime64(3) keeps them; the rest is cut."""
    return (moment - EPOCH) // MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    return EPOCH + milliseconds * MILLISECOND


def joined(words: Sequence[str]) -> bytes:
    """Bind many words as one, with NUL between them, for splitByChar to take apart.

    Bytes are escaped at once, where texts would be character by character.
    """
    return "\0".join(words).encode()


def insert_columns(
    name: str,
    table: str,
    columns: Mapping[str, Sequence[Any]],
    *,
    budget: Budget = WRITE,
    token: str | None = None,
) -> int:
    """Insert equally long columns at once; give the row count.

    What comes again under the same token, with the same rows, adds nothing.
    The names of the table and its columns are the code's own, never input.
    """
    row_count = len(next(iter(columns.values()), ()))
    if not row_count:
        return 0
    # The driver knows an insert by its text being one line.
    sql = " ".join(("INSERT INTO", table, "(", ", ".join(columns), ") VALUES"))
    with _query(name, budget) as cursor:
        cursor.cursor.columnar = True
        # A file may span more months than one insert may by default.
        settings = _settings(name, budget) | {"max_partitions_per_insert_block": 0}
        if token is not None:
            settings |= {"insert_deduplicate": 1, "insert_deduplication_token": token}
        cursor.set_settings(settings)
        cursor.executemany(sql, list(columns.values()))
    return row_count


@contextmanager
def measured(name: str) -> Generator[None]:
    """Measure a query of the ORM and translate its errors, as for those by name."""
    try:
        with QUERY_SECONDS.labels(name).time():
            yield
    except (Error, OSError, EOFError) as error:
        raise _translated(name, error) from error


def budgeted(rows: QuerySet[Any], name: str, budget: Budget) -> QuerySet[Any]:
    """Give a query of the ORM its budget, and its name in ClickHouse's log."""
    limited: QuerySet[Any] = rows.settings(**_settings(name, budget))  # type: ignore[attr-defined]  # the backend's
    return limited


def error_code(error: Exception) -> int | None:
    """Find the code behind an error; none means that nobody answered."""
    cause = error.args[0] if error.args else None
    code = getattr(cause, "code", None)
    return code if isinstance(code, int) else None


def close_connection() -> None:
    """Give back what this thread holds; a thread that ends would keep it."""
    connections[DATABASE].close()


@contextmanager
def _query(name: str, budget: Budget, alias: str = DATABASE) -> Generator[Any]:
    try:
        with (
            QUERY_SECONDS.labels(name).time(),
            connections[alias].cursor() as cursor,
        ):
            cursor.set_settings(_settings(name, budget))
            yield cursor
    except (Error, OSError, EOFError) as error:
        raise _translated(name, error) from error


def _settings(name: str, budget: Budget) -> dict[str, str | int | float]:
    check_deadline()
    left_s = remaining_s()
    allowed_s: float = budget.max_seconds
    if left_s is not None:
        # None at all would be no limit.
        allowed_s = max(0.001, min(allowed_s, round(left_s, 3)))
    return {
        "max_execution_time": allowed_s,
        "max_rows_to_read": budget.max_rows,
        "max_query_size": budget.max_query_bytes,
        "log_comment": name,
    }


def _translated(name: str, error: Exception) -> Exception:
    """Tell what a failure means; an error in a query itself stays what it is."""
    code = error_code(error)
    if code in OVER_BUDGET:
        return _stopped(name, code)
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
    return error


def _stopped(name: str, code: int | None) -> Exception:
    """Tell a query that is too large from one that had too little time left."""
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


def _array(values: Sequence[Any], ch_type: str) -> NDArray[Any]:
    is_nested = ch_type.startswith("Array(")
    inner = ch_type.removeprefix("Array(").removeprefix("Nullable(").rstrip(")")
    dtype = ARRAY_TYPES.get(inner)
    if dtype is not None:
        # None, which stands for a missing float, becomes NaN.
        shape = (len(values), -1) if is_nested and len(values) else (len(values),)
        return np.array(values, dtype=dtype).reshape(shape)
    array = np.empty(len(values), dtype=np.object_)
    array[:] = values
    return array
