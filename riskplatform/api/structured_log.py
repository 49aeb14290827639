"""What happens, as lines of the log with fields: requests, jobs, shipments, messages.

Fields are named by the code and hold what it computed: routes, counts, times. What a
client sends, a credential, a body, is never one of them.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import structlog
from structlog.typing import EventDict

# Of a line whose repetition is not folded: each tells of another request.
UNFOLDED: Final = "unfolded"
PROCESSES: Final = "riskplatform.processes"


def configure_events() -> None:
    """Have structlog hand its lines to the logging of Python, fields beside."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            _to_record,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def event_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def log_start(process: str) -> None:
    event_logger(PROCESSES).info("process started", process=process, pid=os.getpid())


@contextmanager
def logged_process(process: str) -> Generator[None]:
    """Say that a process has started, and how it ended."""
    log_start(process)
    outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        logger = event_logger(PROCESSES)
        logger.info("process ended", process=process, pid=os.getpid(), outcome=outcome)


def _to_record(
    _logger: Any, _method: str, event: EventDict
) -> tuple[tuple[str], dict[str, Any]]:
    """Give the arguments of a call of Python's logging."""
    message = str(event.pop("event"))
    extra: dict[str, Any] = {UNFOLDED: bool(event.pop(UNFOLDED, False))}
    given: dict[str, Any] = {"extra": extra}
    for name in ("exc_info", "stack_info"):
        if name in event:
            given[name] = event.pop(name)
    if "request_id" in event:
        extra["request_id"] = event.pop("request_id")
    extra["fields"] = dict(event)
    return (message,), given
