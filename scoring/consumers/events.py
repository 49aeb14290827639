"""Server-sent events: the alerts of an organisation, for curl and for proxies.

The realtime process serves them, because a stream would hold a thread of the web
process for as long as its client listens.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
import orjson

from perf.realtime.closing import (
    BAD_REQUEST,
    COME_AGAIN,
    FORBIDDEN,
    NOT_FOUND,
    TOO_MANY,
    UNKNOWN,
    SocketClosedError,
)
from perf.realtime.following import Feed, Follower, Frame, StreamState
from perf.realtime.history import Position
from perf.realtime.hub import Joined
from riskplatform.api.problems import CONTENT_TYPE, problem_of
from riskplatform.kernel.errors import ApplicationError
from scoring.consumers.alerts import AlertFeed

PATH: Final = "/api/v1/stream/alerts"
PACING: Final = "riskplatform.pacing"
MEDIA_TYPE: Final = b"text/event-stream"
# A proxy, and a client that listens, learn by it that the connection stands.
BEAT_EVERY_S: Final = 15.0
# What a client waits before it comes back; it adds some of its own.
RETRY: Final = b"retry: 2000\n\n"
STATUSES: Final = {
    BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    UNKNOWN: HTTPStatus.UNAUTHORIZED,
    FORBIDDEN: HTTPStatus.FORBIDDEN,
    NOT_FOUND: HTTPStatus.NOT_FOUND,
    TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
    COME_AGAIN: HTTPStatus.SERVICE_UNAVAILABLE,
}

Send = Callable[[Any], Awaitable[None]]


class _Named(msgspec.Struct):
    type: str


class EventStream:
    """One response; nothing follows its head but events and beats."""

    def __init__(self, scope: MutableMapping[str, Any], send: Send) -> None:
        self._scope = scope
        self._send = send
        self._pacing = scope.get("extensions", {}).get(PACING)
        self._is_begun = False

    async def run(self, receive: Callable[[], Awaitable[Any]]) -> None:
        """Serve until the client leaves, the server ends or the stream is ended."""
        follower = Follower(self._scope, AlertFeed.open, self)
        tasks: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(follower.run()),
            asyncio.ensure_future(_left(receive)),
            asyncio.ensure_future(self._beat()),
        ]
        if self._pacing is not None:
            tasks.append(asyncio.ensure_future(self._pacing.ending.wait()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._end(done)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def begin(self, joined: Joined, feed: Feed) -> None:
        self._is_begun = True
        headers = [
            (b"content-type", MEDIA_TYPE),
            (b"cache-control", b"no-store"),
            # nginx would collect events until a buffer is full.
            (b"x-accel-buffering", b"no"),
        ]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        await self._send(start)
        at = joined.position
        state = StreamState(
            epoch=at.epoch, offset=at.offset, recovered=joined.recovered
        )
        await self._write(RETRY)
        await self.send_frame(msgspec.json.encode(state), at)

    async def send_frame(self, frame: Frame, at: Position) -> None:
        name = msgspec.json.decode(frame, type=_Named).type
        head = f"id: {at}\nevent: {name}\ndata: ".encode()
        await self._write(head + frame + b"\n\n")

    async def has_room(self, *, within_s: float) -> bool:
        return self._pacing is None or await self._pacing.room(within_s=within_s)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY_S)
            if self._is_begun and await self.has_room(within_s=0.0):
                await self._write(b": beat\n\n")

    async def _write(self, body: bytes) -> None:
        message = {"type": "http.response.body", "body": body, "more_body": True}
        await self._send(message)

    async def _end(self, done: "set[asyncio.Future[Any]]") -> None:
        errors = [error for task in done if (error := task.exception()) is not None]
        for error in errors:
            if not isinstance(error, SocketClosedError):
                raise error
        if self._is_begun:
            if self._pacing is not None:
                self._pacing.release()
            await self._send({"type": "http.response.body", "body": b""})
        elif errors and isinstance(errors[0], SocketClosedError):
            await send_problem(self._send, _problem(errors[0]))


async def send_problem(send: Send, error: ApplicationError) -> None:
    """Answer with a problem document, and end the connection."""
    headers = [(b"content-type", CONTENT_TYPE.encode()), (b"connection", b"close")]
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Bearer realm="api"'))
    if error.status in {429, 503}:
        headers.append((b"retry-after", b"2"))
    start = {"type": "http.response.start", "status": error.status}
    await send({**start, "headers": headers})
    body = orjson.dumps(problem_of(error))
    await send({"type": "http.response.body", "body": body})


async def stream_alerts(scope: Any, receive: Any, send: Any) -> None:
    """Answer `GET /api/v1/stream/alerts`."""
    if scope["method"] != "GET":
        await send_problem(send, _WrongMethodError("This takes GET only."))
        return
    await EventStream(scope, send).run(receive)


class _WrongMethodError(ApplicationError):
    status = 405
    code = "method_not_allowed"
    title = "The method is not allowed"


def _problem(end: SocketClosedError) -> ApplicationError:
    """Say in HTTP why a stream is not opened."""
    status = STATUSES.get(end.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    members = {
        "status": status.value,
        "code": status.name.lower(),
        "title": status.phrase,
    }
    kind = type("_EndedError", (ApplicationError,), members)
    error: ApplicationError = kind(end.reason)
    return error


async def _left(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
