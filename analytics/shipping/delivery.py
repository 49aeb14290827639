"""Brings rows to ClickHouse; a row it will not take is found and set apart."""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence

from clickhouse_driver.errors import ErrorCodes
from django.db import Error

from analytics.models import ParkedEvent
from analytics.shipping.shipments import ShippedRow, columns_of
from analytics.store.clickhouse import Budget, insert_columns
from analytics.store.clickhouse_errors import error_code
from analytics.store.event_changes import changing_events

# Less than a lease lasts, so that no other process begins meanwhile.
INSERT = Budget(max_seconds=50)
MAX_REASON_CHARS = 300
VIOLATED_CONSTRAINT = 469  # newer than the driver's list
# What is wrong with a row, and not with the server; all else is tried again.
ROW_FAULTS = frozenset(
    {
        ErrorCodes.CANNOT_PARSE_TEXT,
        ErrorCodes.CANNOT_PARSE_DATE,
        ErrorCodes.CANNOT_PARSE_DATETIME,
        ErrorCodes.CANNOT_PARSE_NUMBER,
        ErrorCodes.TYPE_MISMATCH,
        ErrorCodes.ARGUMENT_OUT_OF_BOUND,
        ErrorCodes.CANNOT_CONVERT_TYPE,
        ErrorCodes.INCORRECT_DATA,
        ErrorCodes.TOO_LARGE_STRING_SIZE,
        ErrorCodes.VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE,
        ErrorCodes.CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN,
        VIOLATED_CONSTRAINT,
    }
)

Insert = Callable[[Mapping[str, Sequence[object]], str], None]


class RowFaultError(Exception):
    """ClickHouse will not take at least one of these rows."""


def insert_once(columns: Mapping[str, Sequence[object]], token: str) -> None:
    """Insert under a token; what came before under the same token adds nothing."""
    try:
        with changing_events(map(str, columns["region"])):
            insert_columns(
                "shipping_insert",
                "analytics_event",
                columns,
                budget=INSERT,
                token=token,
            )
    except Error as error:
        if error_code(error) in ROW_FAULTS:
            raise RowFaultError(str(error)) from error
        raise
    except (struct.error, OverflowError, UnicodeError) as error:
        # The driver could not even write the value down.
        raise RowFaultError(str(error)) from error


def deliver(
    rows: Sequence[ShippedRow], *, token: str, insert: Insert = insert_once
) -> Iterator[ParkedEvent]:
    """Insert all rows but those that are at fault; these are given back, not stored.

    Halves have tokens of their own, made of the shipment's, so that a delivery that
    was broken off takes the same steps again and repeats none.
    """
    if not rows:
        return
    try:
        insert(columns_of(rows), token)
    except RowFaultError as error:
        if len(rows) == 1:
            reason = str(error)[:MAX_REASON_CHARS]
            yield ParkedEvent(event_id=rows[0].event_id, reason=reason)
            return
        middle = len(rows) // 2
        yield from deliver(rows[:middle], token=f"{token}/0", insert=insert)
        yield from deliver(rows[middle:], token=f"{token}/1", insert=insert)
