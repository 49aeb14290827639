"""WebSockets: a consumer for each route, which follows one feed."""

import asyncio
import time
from contextlib import suppress
from typing import Any, ClassVar, Final, Literal
from uuid import UUID

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer

from perf.realtime.closing import (
    BAD_REQUEST,
    NOT_FOUND,
    TOO_MANY,
    SocketClosedError,
)
from perf.realtime.entry import Visitor, headers_of, is_foreign
from perf.realtime.following import Feed, Follower, Frame, StreamState
from perf.realtime.history import Position
from perf.realtime.hub import Joined
from perf.realtime.metrics import CLOSES
from riskplatform.api.error_boundary import CLOSE_INTERNAL_ERROR
from riskplatform.api.error_log import error_log
from scoring.consumers.alerts import AlertFeed
from scoring.consumers.jobs import JobFeed
from scoring.consumers.portfolios import PortfolioFeed
from scoring.consumers.risk_map import BINARY, JSON, MAGIC, RiskMapFeed

# What the server tells of itself: its extension of ASGI.
PACING: Final = "riskplatform.pacing"
# What a client may send in one second, and in one message.
MESSAGES_PER_S: Final = 20
MAX_MESSAGE_CHARS: Final = 1_000


class Ping(msgspec.Struct):
    """All that a client may say: it is answered with where the client stands."""

    type: Literal["ping"]


class Pong(msgspec.Struct, kw_only=True):
    type: str = "pong"
    epoch: str
    offset: int


class SocketConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # no types
    """Follows a feed and sends its frames; what a client says is only counted."""

    # Groups are Redis streams here, read by one task for all sockets.
    channel_layer_alias = "none"
    subprotocols: ClassVar[tuple[str, ...]] = (JSON,)

    def open_feed(self, visitor: Visitor) -> Feed:
        raise NotImplementedError

    async def connect(self) -> None:
        self._is_accepted = False
        self._said: list[float] = []
        if is_foreign(headers_of(self.scope)):
            # Not accepted, so that a page of another site learns nothing.
            await self.close()
            return
        self._follower = Follower(self.scope, self.open_feed, self)
        self._task = asyncio.create_task(self._follow())

    async def disconnect(self, code: int) -> None:
        await self._stop()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        now_s = time.monotonic()
        self._said = [at_s for at_s in self._said if now_s - at_s < 1.0]
        self._said.append(now_s)
        if len(self._said) > MESSAGES_PER_S:
            reason = f"more than {MESSAGES_PER_S} messages in a second"
            await self._cut_off(SocketClosedError(TOO_MANY, reason))
            return
        at = self._follower.at
        if at is not None and _is_ping(text_data):
            pong = Pong(epoch=at.epoch, offset=at.offset)
            await self.send(text_data=msgspec.json.encode(pong).decode())
        elif at is not None:
            reason = 'all a client may say is {"type": "ping"}'
            await self._cut_off(SocketClosedError(BAD_REQUEST, reason))

    async def begin(self, joined: Joined, feed: Feed) -> None:
        await self._accept()
        at = joined.position
        state = StreamState(
            epoch=at.epoch, offset=at.offset, recovered=joined.recovered
        )
        await self.send(text_data=msgspec.json.encode(state).decode())

    async def send_frame(self, frame: Frame, at: Position) -> None:
        if frame.startswith(MAGIC):
            await self.send(bytes_data=frame)
        else:
            await self.send(text_data=frame.decode())

    async def has_room(self, *, within_s: float) -> bool:
        pacing = self.scope.get("extensions", {}).get(PACING)
        return pacing is None or await pacing.room(within_s=within_s)

    @property
    def subprotocol(self) -> str | None:
        """Give the first subprotocol of the client that is known here."""
        offered = self.scope.get("subprotocols", ())
        return next((name for name in offered if name in self.subprotocols), None)

    def argument(self, name: str) -> Any:
        return self.scope["url_route"]["kwargs"][name]

    async def _follow(self) -> None:
        try:
            await self._follower.run()
        except SocketClosedError as end:
            await self._end(end)
        except Exception:
            error_log.exception("a WebSocket failed")
            await self._end(SocketClosedError(CLOSE_INTERNAL_ERROR, "an error"))

    async def _cut_off(self, end: SocketClosedError) -> None:
        CLOSES.labels(str(end.code)).inc()
        await self._stop()
        await self._end(end)

    async def _stop(self) -> None:
        task = getattr(self, "_task", None)
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _end(self, end: SocketClosedError) -> None:
        """Close it; one that was not let in is accepted for that, to hear the code."""
        await self._accept()
        await self.close(code=end.code, reason=end.reason)

    async def _accept(self) -> None:
        if not self._is_accepted:
            self._is_accepted = True
            await self.accept(self.subprotocol)


class AlertsConsumer(SocketConsumer):
    def open_feed(self, visitor: Visitor) -> Feed:
        return AlertFeed.open(visitor)


class RiskMapConsumer(SocketConsumer):
    subprotocols: ClassVar[tuple[str, ...]] = (JSON, BINARY)

    def open_feed(self, visitor: Visitor) -> Feed:
        is_binary = self.subprotocol == BINARY
        return RiskMapFeed.open(visitor, self.argument("region"), is_binary=is_binary)


class PortfolioConsumer(SocketConsumer):
    def open_feed(self, visitor: Visitor) -> Feed:
        portfolio_id: UUID = self.argument("portfolio_id")
        return PortfolioFeed.open(visitor, portfolio_id)


class JobConsumer(SocketConsumer):
    def open_feed(self, visitor: Visitor) -> Feed:
        job_id: UUID = self.argument("job_id")
        return JobFeed.open(visitor, job_id)


class NoSuchSocket(SocketConsumer):
    def open_feed(self, visitor: Visitor) -> Feed:
        raise SocketClosedError(NOT_FOUND, "there is no such address")


def _is_ping(text: str | None) -> bool:
    if text is None or len(text) > MAX_MESSAGE_CHARS:
        return False
    try:
        msgspec.json.decode(text, type=Ping)
    except (msgspec.MsgspecError, ValueError):
        return False
    return True
