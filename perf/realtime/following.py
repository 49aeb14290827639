"""The life of one socket or stream: let in, replay, follow, end."""

import asyncio
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol, TypeVar

import msgspec

from perf.limits.callers import configured_callers
from perf.realtime.closing import SocketClosedError
from perf.realtime.entry import Visitor, enter, headers_of
from perf.realtime.guard import Watch
from perf.realtime.history import Entry, Position
from perf.realtime.hub import Joined
from perf.realtime.metrics import (
    CLOSES,
    DELIVERY_SECONDS,
    FRAMES,
    REFUSALS,
    SOCKETS,
)
from perf.realtime.runtime import Runtime, current_runtime
from perf.realtime.subscriptions import Subscription
from perf.realtime.threads import in_thread
from riskplatform.api.keys.holders import Identity

# How long a client that reads nothing is waited for before it is looked at again.
ROOM_WITHIN_S: Final = 0.5

Frame = bytes
Made = TypeVar("Made")


class Feed(Protocol):
    """What a route sends: made in a thread by `Route.open`, for one socket."""

    route: ClassVar[str]
    # A newer message says all that older ones said.
    is_state: ClassVar[bool]
    # How often it is asked for more without a message; None for never.
    look_every_s: ClassVar[float | None]

    @property
    def group(self) -> str: ...

    @property
    def what(self) -> Hashable: ...

    def may_see(self, identity: Identity) -> bool: ...

    async def first(self, joined: Joined) -> Sequence[Frame]: ...

    async def frames(self, entry: Entry | None, at: Position) -> Sequence[Frame]: ...


OpenFeed = Callable[[Visitor], Feed]


class Sink(Protocol):
    """Where frames go: a socket, or a stream over HTTP."""

    async def begin(self, joined: Joined, feed: Feed) -> None: ...

    async def send_frame(self, frame: Frame, at: Position) -> None: ...

    async def has_room(self, *, within_s: float) -> bool: ...


class StreamState(msgspec.Struct, kw_only=True):
    """The first message: where the client stands, and whether it missed anything."""

    epoch: str
    offset: int
    recovered: bool
    type: str = "stream.state"


class _Stamped(msgspec.Struct):
    timestamp: datetime | None = None


@dataclass(slots=True, eq=False)
class Follower:
    """Follows one feed for one client; `at` is up to where the client has it."""

    scope: Mapping[str, Any]
    open_feed: OpenFeed
    sink: Sink
    at: Position | None = None

    async def run(self) -> None:
        """Follow until the socket ends.

        Raises
        ------
        SocketClosedError
            With the code and the reason to tell the client.
        """
        runtime = current_runtime()
        last_event_id = headers_of(self.scope).get("last-event-id", "")
        is_open = False
        try:
            visitor = await in_thread(
                enter,
                self.scope,
                address=address_of(self.scope),
                last_event_id=last_event_id,
            )
            principal, address = visitor.holder.name, visitor.address
            with runtime.seats.seat(principal=principal, address=address):
                feed = await in_thread(self.open_feed, visitor)
                is_open = True
                with _open(feed.route):
                    await self._follow(runtime, visitor, feed)
        except SocketClosedError as end:
            (CLOSES if is_open else REFUSALS).labels(str(end.code)).inc()
            raise

    async def _follow(self, runtime: Runtime, visitor: Visitor, feed: Feed) -> None:
        subscription = Subscription(route=feed.route, is_state=feed.is_state)
        watch = Watch(visitor.holder, feed.what, feed.may_see)
        runtime.guard.watch(subscription, watch)
        try:
            joined = await runtime.hub.join(feed.group, subscription, visitor.after)
            self.at = joined.position
            await self.sink.begin(joined, feed)
            for frame in await feed.first(joined):
                await self._send(feed, frame, joined.position)
            while True:
                await self._next(subscription, feed)
        finally:
            runtime.guard.forget(subscription)
            runtime.hub.leave(feed.group, subscription)

    async def _next(self, subscription: Subscription, feed: Feed) -> None:
        while not await self.sink.has_room(within_s=ROOM_WITHIN_S):
            subscription.raise_if_ended()
        entry = await subscription.next(within_s=feed.look_every_s)
        at = self.at if entry is None else entry.position
        if at is None:
            return
        self.at = at
        for frame in await feed.frames(entry, at):
            await self._send(feed, frame, at)
        if entry is not None:
            _note_delay(entry)

    async def _send(self, feed: Feed, frame: Frame, at: Position) -> None:
        await self.sink.send_frame(frame, at)
        FRAMES.labels(feed.route).inc()


def address_of(scope: Mapping[str, Any]) -> str:
    """Give the client's address, as the outermost proxy of ours saw it."""
    client = scope.get("client") or ("", 0)
    forwarded = headers_of(scope).get("x-forwarded-for", "")
    environ = {"REMOTE_ADDR": client[0], "HTTP_X_FORWARDED_FOR": forwarded}
    return configured_callers().address(environ)


def framed(at: Position, message: msgspec.Struct) -> bytes:
    """Write a message with where it stands, as `Entry.frame` does."""
    return Entry(at, msgspec.json.encode(message)).frame()


@contextmanager
def _open(route: str) -> Any:
    SOCKETS.labels(route).inc()
    try:
        yield
    finally:
        SOCKETS.labels(route).dec()


def _note_delay(entry: Entry) -> None:
    """Count once an entry, not once a socket, how old it was."""
    if "delay" in entry.memo:
        return
    entry.memo["delay"] = True
    with suppress(msgspec.MsgspecError):
        sent_at = msgspec.json.decode(entry.body, type=_Stamped).timestamp
        if sent_at is not None:
            DELIVERY_SECONDS.observe(max(0.0, time.time() - sent_at.timestamp()))


async def made_once(entry: Entry, key: Hashable, make: Callable[[], Made]) -> Made:
    """Make something of an entry in a thread, once for all sockets that want it."""
    if key not in entry.memo:
        working = current_runtime().working

        async def run() -> Made:
            async with working:
                return await in_thread(make)

        entry.memo[key] = asyncio.ensure_future(run())
    made: Made = await asyncio.shield(entry.memo[key])
    return made
