"""How a line of the log looks: with the id of its request, and nothing forged."""

import logging
import re

from riskplatform.api.request_id import current_request_id

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
NO_REQUEST = "-"
INDENT = "    "


class RequestIdFilter(logging.Filter):
    """Adds `request_id` to every record: of the request or job that is at work."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id() or NO_REQUEST
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
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        trace = record.exc_text or ""
        if record.exc_info:
            trace = self.formatException(record.exc_info)
        parts = [part for part in (trace, record.stack_info) if part]
        lines = [line for part in parts for line in part.split("\n")]
        indented = (INDENT + escaped(line) for line in lines)
        return "\n".join([escaped(self.formatMessage(record)), *indented])


def escaped(text: str) -> str:
    return CONTROL.sub(lambda found: ascii(found.group())[1:-1], text)
