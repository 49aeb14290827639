"""How a line of the log looks: with the id of its request, and nothing forged."""

import logging
import re
from datetime import UTC, datetime
from typing import Any

import orjson

from riskplatform.api.request_id import current_request_id

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
NO_REQUEST = "-"
INDENT = "    "


class RequestIdFilter(logging.Filter):
    """Adds `request_id` to every record: of the request or job that is at work."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = getattr(record, "request_id", "")
        record.request_id = said or current_request_id() or NO_REQUEST
        return True


class RecordedFilter(logging.Filter):
    """Drops what Django says of a 500: `riskplatform.errors` has it with its route."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno < logging.ERROR or not record.exc_info


class LineFormatter(logging.Formatter):
    """Writes a record on one line, and its traceback on indented ones.

    Control characters are escaped: what a client sends can neither begin a line that
    looks like another record nor steer a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        record.message = " ".join([record.getMessage(), *map(_pair, fields_of(record))])
        record.asctime = self.formatTime(record, self.datefmt)
        lines = self._trace(record).split("\n") if self._trace(record) else []
        indented = (INDENT + escaped(line) for line in lines)
        return "\n".join([escaped(self.formatMessage(record)), *indented])

    def _trace(self, record: logging.LogRecord) -> str:
        trace = record.exc_text or ""
        if record.exc_info:
            trace = self.formatException(record.exc_info)
        return "\n".join(part for part in (trace, record.stack_info) if part)


class JsonFormatter(LineFormatter):
    """Writes a record as one JSON object on one line, for programs that collect it."""

    def format(self, record: logging.LogRecord) -> str:
        document = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", NO_REQUEST),
            "message": record.getMessage(),
            **dict(fields_of(record)),
        }
        if trace := self._trace(record):
            document["traceback"] = trace
        return orjson.dumps(document, default=str).decode()


def fields_of(record: logging.LogRecord) -> list[tuple[str, Any]]:
    """Give what was said beside the message (`riskplatform.api.structured_log`)."""
    return list(getattr(record, "fields", {}).items())


def _pair(field: tuple[str, Any]) -> str:
    name, value = field
    text = str(value)
    return f"{name}={text!r}" if " " in text or not text else f"{name}={text}"


def escaped(text: str) -> str:
    return CONTROL.sub(lambda found: ascii(found.group())[1:-1], text)
