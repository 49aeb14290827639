"""A log handler that folds what repeats, so that no flood of requests fills a disk.

What comes from the same line of code, with the same kind of fault, repeats. Some
of it is written as it is; the rest of ten seconds is one line that says how often, with
the ids of the requests that were errors.
"""

import copy
import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Timer
from typing import Any, TextIO

WINDOW_S = 10.0
# Lines that are written as they are in each window.
MAX_LINES = 5
MAX_ERRORS = 20
MAX_KEYS = 1_000
MAX_IDS = 100
MAX_CHARS = 1_000


@dataclass(slots=True)
class _Window:
    """What has come of one kind since its first line."""

    ends_s: float
    n_written: int = 0
    n_folded: int = 0
    last: logging.LogRecord | None = None
    request_ids: list[str] = field(default_factory=list)

    def summary(self, last: logging.LogRecord, *, window_s: float) -> logging.LogRecord:
        """Give the last record, or where more were folded one that counts them."""
        if self.n_folded == 1:
            return last
        summary = copy.copy(last)
        summary.exc_info = summary.exc_text = summary.stack_info = summary.args = None
        summary.msg = (
            f"{last.getMessage()[: MAX_CHARS // 2]} … repeated"
            f" {self.n_folded:,} times in {window_s:g} s"
        )
        if self.request_ids:
            more = self.n_folded - len(self.request_ids)
            rest = f" and {more} more" if more > 0 else ""
            summary.msg += f" (requests {', '.join(self.request_ids)}{rest})"
        return summary


class FoldingHandler(logging.StreamHandler[TextIO]):
    """Writes to standard error, unless it is given another stream."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(stream)
        self._window_s = window_s
        self._clock = clock
        self._windows: dict[Hashable, _Window] = {}
        self._timer: Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record or fold it; called with the handler's lock."""
        if getattr(record, "unfolded", False):
            super().emit(record)
            return
        self._end_windows()
        key = _kind_of(record)
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= MAX_KEYS:
                self._end(next(iter(self._windows)))
            window = _Window(self._clock() + self._window_s)
            self._windows[key] = window
        if window.n_written < (MAX_ERRORS if _is_fault(record) else MAX_LINES):
            window.n_written += 1
            super().emit(record)
            return
        window.n_folded += 1
        window.last = record
        request_id = getattr(record, "request_id", None)
        if request_id and _is_fault(record) and len(window.request_ids) < MAX_IDS:
            window.request_ids.append(str(request_id))
        self._end_later()

    def format(self, record: logging.LogRecord) -> str:
        """Cut what a client has made long; tracebacks are our own and stay."""
        line = super().format(record)
        if len(line) > MAX_CHARS and not record.exc_info:
            return f"{line[:MAX_CHARS]}… ({len(line):,} characters)"
        return line

    def close(self) -> None:
        """Write what is folded, and end."""
        self.acquire()
        try:
            for key in list(self._windows):
                self._end(key)
            if self._timer is not None:
                self._timer.cancel()
        finally:
            self.release()
        super().close()

    def _end_windows(self) -> None:
        now_s = self._clock()
        for key in [key for key, one in self._windows.items() if one.ends_s <= now_s]:
            self._end(key)

    def _end(self, key: Hashable) -> None:
        window = self._windows.pop(key)
        if window.last is not None:
            super().emit(window.summary(window.last, window_s=self._window_s))

    def _end_later(self) -> None:
        """See to it that the line is written, also when nothing more comes."""
        if self._timer is None:
            self._timer = Timer(self._window_s, self._on_time)
            self._timer.daemon = True
            self._timer.start()

    def _on_time(self) -> None:
        self.acquire()
        try:
            self._timer = None
            self._end_windows()
            if any(window.n_folded for window in self._windows.values()):
                self._end_later()
        finally:
            self.release()


def _kind_of(record: logging.LogRecord) -> Hashable:
    """Identify the kind by the line of code, whatever a client has put in."""
    error, traceback = None, None
    if record.exc_info:
        error, _, traceback = record.exc_info
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    fault = traceback and (traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)
    status: Any = getattr(record, "status_code", None)
    line = (record.pathname, record.lineno)
    return record.name, record.levelno, line, status, error, fault


def _is_fault(record: logging.LogRecord) -> bool:
    """Return whether it is a fault of the platform, not of a client or of load."""
    status = getattr(record, "status_code", None)
    return record.levelno >= logging.ERROR and status in {None, 500}
