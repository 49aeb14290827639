"""What the configured handler writes, line by line, as an operator reads it."""

import io
import logging
from collections.abc import Generator
from contextlib import contextmanager

from riskplatform.api.log_lines import LineFormatter
from riskplatform.kernel.log_folding import FoldingHandler


@contextmanager
def written_log() -> Generator[io.StringIO]:
    """Have the log written to a text inside the block.

    The handler is another of the same kind: what tests before have logged would be
    repeated by the same lines, and those folded.
    """
    root = logging.getLogger()
    [configured] = [
        each for each in root.handlers if isinstance(each.formatter, LineFormatter)
    ]
    written = io.StringIO()
    handler = FoldingHandler(written)
    handler.setFormatter(configured.formatter)
    handler.setLevel(configured.level)
    for each in configured.filters:
        handler.addFilter(each)
    root.removeHandler(configured)
    root.addHandler(handler)
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.addHandler(configured)
        handler.close()


def errors_in(log: io.StringIO) -> list[str]:
    """First lines of records at level ERROR; continued lines are indented."""
    lines = log.getvalue().splitlines()
    return [line for line in lines if line[:1] != " " and " ERROR " in line]
