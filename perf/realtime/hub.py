"""Reads the streams of the groups that sockets here listen to, and hands entries on.

Redis only calls a group by name; what came is then read from its stream, from where
the last reading ended. So a call that gets lost costs at most LOOK_EVERY_S, and what
is handed on has neither gap nor change of order. One task does this for all sockets.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from perf.realtime.closing import COME_AGAIN, SocketClosedError
from perf.realtime.history import Entry, History, Position
from perf.realtime.metrics import HISTORY_FAILURES, REPLAYS
from perf.realtime.subscriptions import Subscription

LOOK_EVERY_S: Final = 1.0
RETRY_S: Final = 0.2
# Redis may be away for so long before clients are sent away.
PATIENCE_S: Final = 1.5
SOCKET_TIMEOUT_S: Final = 2.0
GONE: Final = "messages cannot be read, reconnect"
LOST: Final = "messages were lost, reconnect"

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Group:
    position: Position | None = None
    members: set[Subscription] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Where a client stands; `recovered` if it has been given all that it missed."""

    position: Position
    recovered: bool
    missed: Sequence[Entry] = ()


class Hub:
    """The subscriptions of one event loop."""

    def __init__(self, history: History, *, url: str) -> None:
        self._history = history
        self._groups: dict[str, Group] = {}
        self._called: set[str] = set()
        self._wake = asyncio.Event()
        self._redis = Redis.from_url(
            url,
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=SOCKET_TIMEOUT_S,
            client_name="riskplatform-realtime",
        )
        number = self._redis.connection_pool.connection_kwargs.get("db", 0)
        self._channel = history.channel(number)
        self._tasks: list[asyncio.Task[None]] = []
        self._failing_since_s: float | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Begin to read, in the event loop at work."""
        loops = (self._read_on, self._listen)
        self._tasks = [asyncio.create_task(loop()) for loop in loops]

    async def stop(self) -> None:
        # A client of Redis may take a cancellation for a timeout, so it is said twice.
        self._is_stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    async def join(
        self, name: str, subscription: Subscription, after: Position | None
    ) -> Joined:
        """Hand a group's entries to a subscription, first those after a position.

        Raises
        ------
        SocketClosedError
            Redis does not answer.
        """
        group = self._groups.setdefault(name, Group())
        group.members.add(subscription)
        try:
            reading = await self._history.read(self._redis, name, after)
        except (RedisError, OSError) as error:
            self.leave(name, subscription)
            HISTORY_FAILURES.inc()
            raise SocketClosedError(COME_AGAIN, GONE) from error
        if group.position is None:
            group.position = reading.head
        if after is None or not reading.is_whole:
            start = Joined(position=reading.head, recovered=False)
            subscription.begin(reading.head)
        else:
            start = Joined(position=after, recovered=True, missed=reading.entries)
            subscription.begin(reading.head, reading.entries)
        if after is not None:
            REPLAYS.labels("yes" if start.recovered else "no").inc()
        return start

    def leave(self, name: str, subscription: Subscription) -> None:
        group = self._groups.get(name)
        if group is not None:
            group.members.discard(subscription)
            if not group.members:
                del self._groups[name]

    async def _read_on(self) -> None:
        looked_s = 0.0
        while not self._is_stopped:
            due_s = looked_s + LOOK_EVERY_S - time.monotonic()
            try:
                async with asyncio.timeout(max(due_s, 0.0)):
                    await self._wake.wait()
            except TimeoutError:
                looked_s = time.monotonic()
                self._called.update(self._groups)
            self._wake.clear()
            called, self._called = self._called, set()
            try:
                await self._read_groups(called)
            except (RedisError, OSError) as error:
                # What was not read is read at the next look.
                self._note_failure(error)
                await asyncio.sleep(RETRY_S)
                looked_s = 0.0

    async def _read_groups(self, names: set[str]) -> None:
        for name in names & self._groups.keys():
            group = self._groups[name]
            if group.position is None:
                continue
            after = group.position
            reading = await self._history.read(self._redis, name, after)
            self._failing_since_s = None
            if not reading.is_whole:
                self._dismiss(name, LOST)
                continue
            group.position = reading.head
            self._hand_on(group, reading.entries)

    def _hand_on(self, group: Group, entries: Sequence[Entry]) -> None:
        for entry in entries:
            for member in group.members:
                member.offer(entry)

    async def _listen(self) -> None:
        while not self._is_stopped:
            try:
                async with self._redis.pubsub() as calls:
                    await calls.subscribe(self._channel)
                    # What was called while nobody listened.
                    self._call_all()
                    while not self._is_stopped:
                        message = await calls.get_message(
                            ignore_subscribe_messages=True, timeout=LOOK_EVERY_S
                        )
                        if message is not None:
                            self._call(message["data"].decode())
            except (RedisError, OSError):
                await asyncio.sleep(RETRY_S)

    def _call(self, name: str) -> None:
        if name in self._groups:
            self._called.add(name)
            self._wake.set()

    def _call_all(self) -> None:
        self._called.update(self._groups)
        self._wake.set()

    def _note_failure(self, error: Exception) -> None:
        HISTORY_FAILURES.inc()
        now_s = time.monotonic()
        if self._failing_since_s is None:
            self._failing_since_s = now_s
            logger.warning("the streams in Redis cannot be read: %s", error)
        elif now_s - self._failing_since_s > PATIENCE_S:
            for name in list(self._groups):
                self._dismiss(name, GONE)

    def _dismiss(self, name: str, reason: str) -> None:
        """Send the clients of a group away; they come back and say where they were."""
        for member in list(self._groups[name].members):
            member.close(SocketClosedError(COME_AGAIN, reason))
        del self._groups[name]
