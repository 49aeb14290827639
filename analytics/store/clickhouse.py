"""The only door to ClickHouse: named queries, each with a budget and a metric."""

import socket
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import getrandbits
from typing import Any, TypeVar

import numpy as np
from django.conf import settings
from django.db import Error, connections
from django.db.models import Model, QuerySet
from numpy.typing import NDArray

from analytics.errors import EventStoreUnavailableError
from analytics.metrics import QUERY_RETRIES, QUERY_SECONDS
from analytics.store.clickhouse_errors import is_broken_off, translated
from perf.connections.retry_timeout import RetryTimeout
from perf.deadlines import check_deadline, deadline, remaining_s
from perf.hedging import Hedge
from perf.switches import Switch, is_on
from riskplatform.api.request_id import current_request_id

DATABASE = "clickhouse"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

SqlValue = str | int | float | datetime | Sequence[float] | Sequence[str] | bytes | None
Columns = dict[str, NDArray[Any]]
Result = TypeVar("Result")
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one query may cost before ClickHouse stops it.

    A ClickHouse that does not even do that is waited for no longer than a moment more.
    """

    max_seconds: int = 10
    max_rows: int = 500_000_000
    max_query_bytes: int = 1 << 18
    # Of the result, as ClickHouse holds it; 0 is no limit.
    max_result_rows: int = 0
    max_result_bytes: int = 0
    # Whether a replica that is a little behind may answer as well: never what is
    # cached, which would stay behind, nor what decides on a write.
    may_lag: bool = False


STANDARD = Budget()
# Passing many values makes the text of a query long.
LOOKUP = Budget(max_seconds=60, max_query_bytes=1 << 25)
WRITE = Budget(max_seconds=300)

# Types that are named in numpy as they are here, but for capitals.
ARRAY_TYPES = frozenset(
    {
        *("Float64", "Float32", "Int64", "Int32"),
        *("UInt64", "UInt32", "UInt16", "UInt8"),
    }
)
PROBE_TIMEOUT_S = 1.0

_retry_timeout = RetryTimeout()
_hedge = Hedge(lost=EventStoreUnavailableError)


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
        with _cursor(alias, name, budget) as cursor:
            # The driver's own numpy reading would import pandas.
            cursor.cursor.columnar = True
            cursor.execute(sql, params or {})
            names = cursor.columns_with_types
            columns = cursor.fetchall() or [()] * len(names)
        return {
            column: _array(values, ch_type)
            for (column, ch_type), values in zip(names, columns, strict=True)
        }

    return _read(name, budget, ask)


def fetch_rows(
    name: str,
    sql: str,
    params: Mapping[str, SqlValue] | None = None,
    *,
    budget: Budget = STANDARD,
) -> list[tuple[Any, ...]]:
    def ask(alias: str) -> list[tuple[Any, ...]]:
        with _cursor(alias, name, budget) as cursor:
            cursor.execute(sql, params or {})
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    return _read(name, budget, ask)


def fetch_objects(name: str, rows: QuerySet[Row], *, budget: Budget) -> list[Row]:
    """Read a query of the ORM whole."""
    return _read(
        name, budget, lambda alias: list(budgeted(rows.using(alias), name, budget))
    )


def run_statement(
    name: str,
    sql: str,
    params: Mapping[str, SqlValue] | None = None,
    *,
    budget: Budget = WRITE,
) -> None:
    """Run what answers nothing: INSERT … SELECT, ALTER, CREATE, DROP."""

    def run(alias: str) -> None:
        with _cursor(alias, name, budget) as cursor:
            cursor.execute(sql, params or {})

    _query(name, budget, run)


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
    # A file may span more months than one insert may by default.
    settings: dict[str, object] = {"max_partitions_per_insert_block": 0}
    if token is not None:
        settings |= {"insert_deduplicate": 1, "insert_deduplication_token": token}

    def insert(alias: str) -> None:
        with _cursor(alias, name, budget, **settings) as cursor:
            cursor.cursor.columnar = True
            cursor.executemany(sql, list(columns.values()))

    _query(name, budget, insert, is_repeatable=token is not None)
    return row_count


@contextmanager
def measured(name: str) -> Generator[None]:
    """Measure a query of the ORM and translate its errors, as for those by name."""
    try:
        with QUERY_SECONDS.labels(name).time():
            yield
    except (Error, OSError, EOFError) as error:
        raise translated(name, error) from error


def budgeted(rows: QuerySet[Any], name: str, budget: Budget) -> QuerySet[Any]:
    """Give a query of the ORM its budget, and its name in ClickHouse's log."""
    limited: QuerySet[Any] = rows.settings(**_settings(name, budget))  # type: ignore[attr-defined]  # the backend's
    return limited


def close_connection() -> None:
    """Give back what this thread holds; a thread that ends would keep it."""
    connections[DATABASE].close()


def _read(name: str, budget: Budget, ask: Callable[[str], Result]) -> Result:
    """Read from the first server, or from a replica that is faster where it may lag."""
    replicas = settings.CLICKHOUSE_REPLICAS if budget.may_lag else ()
    if not replicas:
        return _query(name, budget, ask, is_repeatable=True)
    # Where there is a replica, no query waits for a server that is down.
    aliases = (DATABASE, *replicas)
    return _hedge.read(
        name, [partial(_query, name, budget, ask, alias=alias) for alias in aliases]
    )


@contextmanager
def _cursor(
    alias: str, name: str, budget: Budget, **settings: object
) -> Generator[Any]:
    with connections[alias].cursor() as cursor:
        cursor.set_settings(_settings(name, budget) | settings)
        # A request id may come twice at a time, a query id may not.
        cursor.set_query_id(f"{current_request_id() or name}.{getrandbits(32):08x}")
        yield cursor


def _query(
    name: str,
    budget: Budget,
    ask: Callable[[str], Result],
    *,
    is_repeatable: bool = False,
    alias: str | None = None,
) -> Result:
    """Query, and once more if the connection broke and repeating is safe."""

    def attempt() -> Result:
        check_deadline()
        with QUERY_SECONDS.labels(name).time(), deadline(budget.max_seconds):
            return ask(alias or DATABASE)

    try:
        try:
            return attempt()
        except (Error, OSError, EOFError) as error:
            may_repeat = is_repeatable and is_on(Switch.CONNECTIONS)
            if not (may_repeat and is_broken_off(error)):
                raise
            if not _retry_timeout.wait_until(_is_back):
                raise
        QUERY_RETRIES.labels(name).inc()
        return attempt()
    except (Error, OSError, EOFError) as error:
        raise translated(name, error) from error


def _is_back() -> bool:
    connection = connections[DATABASE]
    address = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
    try:
        # First a bare socket: the driver logs every refusal with its traceback.
        socket.create_connection(address, timeout=PROBE_TIMEOUT_S).close()
        return bool(connection.is_usable())
    except (Error, OSError, EOFError):
        return False


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
        "max_result_rows": budget.max_result_rows,
        "max_result_bytes": budget.max_result_bytes,
        "log_comment": f"{name} {current_request_id()}".rstrip(),
    }


def _array(values: Sequence[Any], ch_type: str) -> NDArray[Any]:
    is_nested = ch_type.startswith("Array(")
    inner = ch_type.removeprefix("Array(").removeprefix("Nullable(").rstrip(")")
    if inner in ARRAY_TYPES:
        # None, which stands for a missing float, becomes NaN.
        shape = (len(values), -1) if is_nested and len(values) else (len(values),)
        return np.array(values, dtype=inner.lower()).reshape(shape)
    array = np.empty(len(values), dtype=np.object_)
    array[:] = values
    return array
