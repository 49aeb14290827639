"""Reads bodies whole, and ends what comes too slowly.

A read blocks its thread until the bytes have come, for ever if they do not. So another
thread looks after all reads: what is overdue is answered 408, what is slow beyond a few
503. The server answers, and closes the connection, which ends the read. The few are
counted for each address as well, so that one does not take what there is for others.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from threading import Lock, Thread
from typing import IO, Final, Protocol

from perf.limits.refusals import OverloadedError
from riskplatform.kernel.detaching import Detachable
from riskplatform.kernel.errors import ApplicationError, BodyTooLargeError

PIECE_BYTES: Final = 64 << 10
# What is larger goes to a temporary file.
MEMORY_BYTES: Final = 256 << 10
# For all of a body, however fast its pieces come.
TIMEOUT_S: Final = 600.0
# A read that takes longer is slow; the network alone takes a part of that.
SLOW_S: Final = 0.1
LOOK_S: Final = 0.05
# How many reads of an address may be slow or not have shown yet whether they are, once
# it has as many slow ones as it may have.
MOST_ON_TRIAL: Final = 2

logger = logging.getLogger(__name__)


class SlowBodyError(ApplicationError):
    code = "slow_body"
    title = "The body came too slowly"
    status = 408


class EndedError(Exception):
    """The sender has had an answer already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyPace:
    """How fast a body comes: a piece within `grace_s` and the time at this rate.

    At most `max_slow` are slower than others at once, `max_slow_per_address` of one
    address.
    """

    grace_s: float
    bytes_per_s: int
    max_slow: int
    max_slow_per_address: int

    def allowed_s(self, n_bytes: int) -> float:
        return self.grace_s + n_bytes / self.bytes_per_s


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


# The address, since when, and until when at most.
_Read = tuple[str, float, float]


class BodyReader:
    """Reads in the caller's thread; safe between threads."""

    def __init__(
        self, pace: BodyPace, end: Callable[[Detachable, ApplicationError], None]
    ) -> None:
        self._pace = pace
        self._end = end
        self._reads: dict[Detachable, _Read] = {}
        # Written by the watcher thread.
        self._is_full = False
        self._full_addresses: frozenset[str] = frozenset()
        self._watcher: Thread | None = None
        self._lock = Lock()

    def may_read(self, address: str) -> bool:
        """Return whether a body from there may be waited for."""
        if self._is_full:
            return False
        if address not in self._full_addresses:
            return True
        n_reads = sum(read[0] == address for read in list(self._reads.values()))
        return n_reads < self._pace.max_slow_per_address + MOST_ON_TRIAL

    def read_short(
        self, request: Detachable, address: str, body: Readable, length: int
    ) -> bytes:
        """Read a body of at most one piece; one that breaks off comes short.

        Raises
        ------
        EndedError
            It came too slowly.
        """
        now_s = time.monotonic()
        due_s = now_s + self._pace.allowed_s(length)
        return self._piece(request, body, length, (address, now_s, due_s))

    def read(
        self,
        request: Detachable,
        address: str,
        body: Readable,
        length: int | None,
        *,
        most: int,
    ) -> IO[bytes]:
        """Read a body of any length, known or not, into memory or a file.

        Raises
        ------
        EndedError
            It came too slowly.
        BodyTooLargeError
            There is more than `most`.
        """
        started_s = time.monotonic()
        with ExitStack() as on_failure:
            file = on_failure.enter_context(SpooledTemporaryFile(MEMORY_BYTES))
            n_read = 0
            while length is None or n_read < length:
                left = PIECE_BYTES if length is None else length - n_read
                size = min(PIECE_BYTES, left)
                due_s = time.monotonic() + self._pace.allowed_s(size)
                read = address, started_s, min(due_s, started_s + TIMEOUT_S)
                piece = self._piece(request, body, size, read)
                if not piece:
                    break
                n_read += len(piece)
                if n_read > most:
                    raise BodyTooLargeError("The body is too large.")
                file.write(piece)
            file.seek(0)
            on_failure.pop_all()
        return file

    def _piece(
        self, request: Detachable, body: Readable, size: int, read: _Read
    ) -> bytes:
        self._reads[request] = read
        if self._watcher is None:
            self._start_watching()
        piece = body.read(size)
        # The watcher takes out a read that it ends.
        if self._reads.pop(request, None) is None:
            raise EndedError
        return piece

    def _start_watching(self) -> None:
        with self._lock:
            if self._watcher is None:
                self._watcher = Thread(target=self._watch, name="bodies", daemon=True)
                self._watcher.start()

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_S)
            try:
                self.look()
            except Exception:
                # The others are looked after all the same.
                logger.exception("a request with a slow body could not be ended")

    def look(self) -> None:
        """End what is overdue or slow beyond the few, the oldest stay."""
        now_s = time.monotonic()
        slow: Counter[str] = Counter()
        surplus: list[Detachable] = []
        overdue: list[Detachable] = []
        reads = sorted(self._reads.copy().items(), key=_since)
        for request, (address, started_s, due_s) in reads:
            if due_s <= now_s:
                overdue.append(request)
            elif started_s + SLOW_S > now_s:
                continue
            elif self._is_surplus(slow, address):
                surplus.append(request)
            else:
                slow[address] += 1
        self._note(slow)
        for request in overdue:
            self._refuse(request, SlowBodyError(SLOW))
        for request in surplus:
            self._refuse(request, OverloadedError(CROWDED))

    def _is_surplus(self, slow: Counter[str], address: str) -> bool:
        return (
            slow.total() >= self._pace.max_slow
            or slow[address] >= self._pace.max_slow_per_address
        )

    def _note(self, slow: Counter[str]) -> None:
        self._is_full = slow.total() >= self._pace.max_slow
        self._full_addresses = frozenset(
            address
            for address, count in slow.items()
            if count >= self._pace.max_slow_per_address
        )

    def _refuse(self, request: Detachable, error: ApplicationError) -> None:
        if self._reads.pop(request, None) is not None:
            self._end(request, error)


SLOW: Final = "The body did not come in time. Send it again, faster or in parts."
CROWDED: Final = "Too many bodies come slowly at once. Send it again later."


def _since(read: tuple[Detachable, _Read]) -> float:
    return read[1][1]
