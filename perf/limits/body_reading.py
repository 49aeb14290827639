"""Reads bodies whole, and sends away whoever sends one too slowly.

A read blocks until its bytes have come, for ever if they do not. So each has a time by
which it is due, and a thread looks after those that are overdue: it has the server
answer 408 and close the connection, which ends the read.
"""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from threading import Lock, Thread
from typing import IO, Final, Protocol

from riskplatform.kernel.detaching import Detachable
from riskplatform.kernel.errors import ApplicationError, BodyTooLargeError

PIECE_BYTES: Final = 64 << 10
# What is larger goes to a temporary file.
MEMORY_BYTES: Final = 256 << 10
LOOK_S: Final = 0.25

logger = logging.getLogger(__name__)


class SlowBodyError(ApplicationError):
    code = "slow_body"
    title = "The body came too slowly"
    status = 408


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyPace:
    """How fast a body has to come: each piece after `grace_s` and at this rate."""

    grace_s: float
    bytes_per_s: int
    # For all of a body, however fast its pieces come.
    timeout_s: float


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class BodyReader:
    """Reads in the thread that asks; safe between threads."""

    def __init__(self, pace: BodyPace, expel: Callable[[Detachable], None]) -> None:
        self._pace = pace
        self._expel = expel
        self._due_s: dict[Detachable, float] = {}
        self._lock = Lock()
        self._watcher: Thread | None = None

    def read_short(self, request: Detachable, body: Readable, length: int) -> bytes:
        """Read a body of at most one piece; one that breaks off comes short.

        Raises
        ------
        SlowBodyError
            It came too slowly, and its sender has been told so.
        """
        return self._piece(request, body, length, float("inf"))

    def read(
        self, request: Detachable, body: Readable, length: int | None, *, most: int
    ) -> IO[bytes]:
        """Read a body of any length, known or not, into memory or a file.

        Raises
        ------
        SlowBodyError
            It came too slowly, and its sender has been told so.
        BodyTooLargeError
            There is more than `most`.
        """
        ends_s = time.monotonic() + self._pace.timeout_s
        with ExitStack() as on_failure:
            file = on_failure.enter_context(SpooledTemporaryFile(MEMORY_BYTES))
            n_read = 0
            while length is None or n_read < length:
                left = PIECE_BYTES if length is None else length - n_read
                piece = self._piece(request, body, min(PIECE_BYTES, left), ends_s)
                if not piece:
                    break
                n_read += len(piece)
                _check_size(n_read, most)
                file.write(piece)
            file.seek(0)
            on_failure.pop_all()
        return file

    def _piece(
        self, request: Detachable, body: Readable, size: int, ends_s: float
    ) -> bytes:
        pace = self._pace
        due_s = time.monotonic() + pace.grace_s + size / pace.bytes_per_s
        self._due_s[request] = min(due_s, ends_s)
        if self._watcher is None:
            self._start_watching()
        piece = body.read(size)
        # Whoever takes it out has decided.
        if self._due_s.pop(request, None) is None:
            raise SlowBodyError("The body did not come in time.")
        return piece

    def _start_watching(self) -> None:
        with self._lock:
            if self._watcher is None:
                self._watcher = Thread(
                    target=self._watch, name="slow-bodies", daemon=True
                )
                self._watcher.start()

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_S)
            now_s = time.monotonic()
            for request, due_s in list(self._due_s.items()):
                if due_s <= now_s and self._due_s.pop(request, None) is not None:
                    self._send_away(request)

    def _send_away(self, request: Detachable) -> None:
        try:
            self._expel(request)
        except Exception:
            # The others are looked after all the same.
            logger.exception("a request with a slow body could not be ended")


def _check_size(n_bytes: int, most: int) -> None:
    if n_bytes > most:
        raise BodyTooLargeError("The body is too large.")
