"""What the configured handler writes, line by line, as an operator reads it."""

import io
import logging
from collections.abc import Generator
from contextlib import contextmanager

from riskplatform.api.log_lines import LineFormatter


@contextmanager
def written_log() -> Generator[io.StringIO]:
    """Have the log written to a text inside the block."""
    [handler] = [
        each
        for each in logging.getLogger().handlers
        if isinstance(each, logging.StreamHandler)
        and isinstance(each.formatter, LineFormatter)
    ]
    written = io.StringIO()
    before = handler.setStream(written)
    try:
        yield written
    finally:
        handler.setStream(before)


def errors_in(log: io.StringIO) -> list[str]:
    """First lines of records at level ERROR; continued lines are indented."""
    lines = log.getvalue().splitlines()
    return [line for line in lines if line[:1] != " " and " ERROR " in line]
