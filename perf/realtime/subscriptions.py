"""What waits for one socket: bounded, because its client may be slow or asleep."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from perf.realtime.closing import TOO_MANY, SocketClosedError
from perf.realtime.history import Entry, Position
from perf.realtime.metrics import COALESCED

MAX_WAITING: Final = 256
MAX_BYTES: Final = 1 << 20


class Subscription:
    """Entries of one group on their way to one socket.

    A client that is too slow is ended with 4429. Where a newer message says all that
    older ones say (`is_state`), it loses the older ones instead.
    """

    def __init__(self, *, route: str, is_state: bool) -> None:
        self.route = route
        self._is_state = is_state
        self._waiting: deque[Entry] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._end: SocketClosedError | None = None
        # While it joins, entries wait until it is known which it has already.
        self._from: Position | None = None

    def begin(self, at: Position, missed: Sequence[Entry] = ()) -> None:
        """Put what the client missed before what came while it joined.

        `at` is up to where it has the group then: earlier entries are left out.
        """
        self._from = at
        later = [entry for entry in self._waiting if not self._is_known(entry)]
        self._waiting = deque((*missed, *later))
        self._bytes = sum(len(entry.body) for entry in self._waiting)
        if self._waiting:
            self._wake.set()

    def offer(self, entry: Entry) -> None:
        """Take an entry, in the order of the group."""
        if self._end is not None or self._is_known(entry):
            return
        self._waiting.append(entry)
        self._bytes += len(entry.body)
        if len(self._waiting) > MAX_WAITING or self._bytes > MAX_BYTES:
            self._relieve()
        self._wake.set()

    def raise_if_ended(self) -> None:
        if self._end is not None:
            raise self._end

    def close(self, end: SocketClosedError) -> None:
        """End it; what waits is not sent any more."""
        if self._end is None:
            self._end = end
            self._waiting.clear()
            self._wake.set()

    async def next(self, *, within_s: float | None = None) -> Entry | None:
        """Wait for an entry; None when the time is over.

        Raises
        ------
        SocketClosedError
            It was ended.
        """
        try:
            async with asyncio.timeout(within_s):
                while not self._waiting and self._end is None:
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            return None
        self.raise_if_ended()
        if self._is_state and len(self._waiting) > 1:
            self._keep_newest()
        entry = self._waiting.popleft()
        self._bytes -= len(entry.body)
        return entry

    def _is_known(self, entry: Entry) -> bool:
        known = self._from
        return (
            known is not None
            and known.epoch == entry.position.epoch
            and entry.position.offset <= known.offset
        )

    def _relieve(self) -> None:
        if self._is_state:
            self._keep_newest()
        else:
            reason = f"more than {MAX_WAITING} messages wait, read faster"
            self.close(SocketClosedError(TOO_MANY, reason))

    def _keep_newest(self) -> None:
        COALESCED.labels(self.route).inc(len(self._waiting) - 1)
        newest = self._waiting[-1]
        self._waiting.clear()
        self._waiting.append(newest)
        self._bytes = len(newest.body)
