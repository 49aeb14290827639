"""Sockets of a real realtime process; `manage.py benchmark --suite websocket`.

The clients share the machine with the server, so the figures are the slower of both.
"""

import asyncio
import base64
import secrets
import sys
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final

from django.db import transaction

from perf.bench.client import LOOPBACK
from perf.bench.errors import BenchmarkError
from perf.bench.measurement import AnyMeasurement, FurtherFigure, Measurement, reported
from perf.bench.registry import registry
from perf.bench.web_process import web_process
from perf.realtime.announcements import announce
from riskplatform.api.keys.models import Organisation, Scope
from riskplatform.api.keys.services import issue_key
from riskplatform.kernel.ids import uuid7
from scoring.models import Region
from scoring.services.announcing import alerts_group

CLIENTS: Final = 1_000
# Its port comes as the first argument of the shell, the application as the second.
SERVER: Final = (
    "sh",
    "-c",
    f'exec {sys.executable} manage.py run_realtime --port "$0"',
)
MANY: Final = {
    "REALTIME_MAX_PER_PRINCIPAL": "100000",
    "REALTIME_MAX_PER_ADDRESS": "100000",
}
BODY: Final = (
    b'{"type":"risk.detected","id":"%b",'
    b'"metadata":{"alert":{"region":"%b"}},"padding":"%b"}'
)
WITHIN_S: Final = 30.0
AT_ONCE: Final = 50
OPCODE_TEXT: Final = 0x81


class Clients:
    """Sockets that note when each message came; they live on a thread of their own."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._readers: list[asyncio.StreamReader] = []
        self._writers: list[asyncio.StreamWriter] = []

    def connect(self, count: int) -> None:
        for first in range(0, count, AT_ONCE):
            opening = self._open_some(min(AT_ONCE, count - first))
            asyncio.run_coroutine_threadsafe(opening, self._loop).result(WITHIN_S)

    def waiting(self) -> "Future[list[float]]":
        """Begin to wait for one message on each socket; gives when each came."""
        return asyncio.run_coroutine_threadsafe(self._hear(), self._loop)

    def close(self) -> None:
        """Close all, and end the thread."""
        closing = asyncio.run_coroutine_threadsafe(self._close(), self._loop)
        closing.result(WITHIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WITHIN_S)
        self._loop.close()

    async def _close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        closing = (writer.wait_closed() for writer in self._writers)
        await asyncio.gather(*closing, return_exceptions=True)

    async def _open_some(self, count: int) -> None:
        await asyncio.gather(*(self._open() for _ in range(count)))

    async def _open(self) -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        nonce = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = (
            "GET /ws/v1/alerts/ HTTP/1.1",
            f"Host: {LOOPBACK}",
            f"Authorization: Bearer {self._key}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {nonce}",
        )
        writer.write("\r\n".join((*lines, "", "")).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise BenchmarkError(f"No socket was opened: {head[:80]!r}.")
        await read_message(reader)
        self._readers.append(reader)
        self._writers.append(writer)

    async def _hear(self) -> list[float]:
        async def one(reader: asyncio.StreamReader) -> float:
            await read_message(reader)
            return time.perf_counter()

        return sorted(await asyncio.gather(*map(one, self._readers)))


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """Read one text frame, past the pings of the server."""
    while True:
        first, length = await reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2))
        elif length == 127:
            length = int.from_bytes(await reader.readexactly(8))
        body = await reader.readexactly(length)
        if first == OPCODE_TEXT:
            return body


@registry.suite("websocket")
def websocket() -> Iterator[AnyMeasurement]:
    """One alert to a thousand sockets of one process, from the commit to the frame."""
    with realtime_with_clients() as (clients, organisation):
        yield Measurement(
            name=f"an alert to {CLIENTS} sockets, p99",
            after=lambda: told(clients, organisation),
            check=lambda delays_s: len(delays_s) == CLIENTS and delays_s[0] > 0,
            meter=reported("ms", lambda delays_s: 1e3 * delays_s[CLIENTS * 99 // 100]),
            target=300.0,
            further=(
                FurtherFigure(
                    name=f"an alert to {CLIENTS} sockets, median",
                    meter=reported("ms", lambda delays_s: 1e3 * delays_s[CLIENTS // 2]),
                    target=300.0,
                ),
            ),
        )


@contextmanager
def realtime_with_clients() -> Generator[tuple[Clients, Organisation]]:
    """Serve, and hold the sockets of a client that exists for as long as the block."""
    slug = f"benchmark-{secrets.token_hex(4)}"
    organisation = Organisation.objects.create(slug=slug, name=slug)
    try:
        scopes = [Scope.SCORES_READ.value]
        key = issue_key(organisation, name="benchmark", scopes=scopes).text.text
        with web_process("", environment=MANY, server=SERVER) as port:
            clients = Clients(port, key)
            try:
                clients.connect(CLIENTS)
                yield clients, organisation
            finally:
                clients.close()
    finally:
        organisation.delete()


def told(clients: Clients, organisation: Organisation) -> list[float]:
    """Commit one message; give the seconds until each socket had it, sorted."""
    message_id = uuid7()
    body = BODY % (str(message_id).encode(), region().encode(), b"x" * 1_500)
    waiting = clients.waiting()
    with transaction.atomic():
        announce(alerts_group(organisation.pk), [(message_id, body)])
        begun_s = time.perf_counter()
    return [at_s - begun_s for at_s in waiting.result(WITHIN_S)]


def region() -> str:
    """Name a region that everybody sees: of others nobody is told."""
    found = Region.objects.filter(is_public=True).values_list("slug", flat=True).first()
    if found is None:
        raise BenchmarkError("There is no public region. Run manage.py demo first.")
    return found
