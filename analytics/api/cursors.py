"""Cursors of the event list: a position in its order, as a text for the client."""

import base64
import binascii
from datetime import datetime

import msgspec

from analytics.errors import CursorError
from analytics.store.clickhouse import from_milliseconds, to_milliseconds
from riskplatform.kernel.errors import FieldFault

Position = tuple[datetime, str, str]


def write_cursor(position: Position) -> str:
    occurred_at, source, external_id = position
    content = (to_milliseconds(occurred_at), source, external_id)
    return (
        base64.urlsafe_b64encode(msgspec.msgpack.encode(content)).decode().rstrip("=")
    )


def read_cursor(text: str) -> Position:
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        milliseconds, source, external_id = msgspec.msgpack.decode(
            content, type=tuple[int, str, str]
        )
        return from_milliseconds(milliseconds), source, external_id
    except (ValueError, OverflowError, binascii.Error, msgspec.MsgspecError):
        raise CursorError(
            "The cursor cannot be read. Give the `next` of the page before, as it is.",
            faults=[FieldFault("after", "not a cursor")],
        ) from None
