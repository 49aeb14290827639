"""A load generator for machines without wrk: a program that prints its figures.

`python -m perf.bench.python_load PORT CONNECTIONS SECONDS REQUESTS`
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

LOOPBACK = "127.0.0.1"
END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length:"
REQUEST_TIMEOUT_S = 30.0


@dataclass(slots=True)
class Counts:
    """What has been counted so far."""

    errors: int = 0
    seconds: list[float] = field(default_factory=list)


def read_requests(path: Path) -> list[bytes]:
    """Read whole requests, each behind a line with its length."""
    requests: list[bytes] = []
    with path.open("rb") as file:
        while line := file.readline():
            requests.append(file.read(int(line)))
    return requests


async def generate(
    port: int, requests: list[bytes], *, connections: int, seconds: float
) -> tuple[Counts, float]:
    """Keep every connection busy for a time; give the counts and the time it took."""
    counts, ring = Counts(), itertools.cycle(requests)
    started_s = time.perf_counter()
    deadline_s = started_s + seconds
    await asyncio.gather(
        *(_keep_busy(port, ring, counts, deadline_s) for _ in range(connections))
    )
    return counts, time.perf_counter() - started_s


async def _keep_busy(
    port: int, ring: Iterator[bytes], counts: Counts, deadline_s: float
) -> None:
    while time.perf_counter() < deadline_s:
        try:
            await _use_connection(port, ring, counts, deadline_s)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            counts.errors += 1


async def _use_connection(
    port: int, ring: Iterator[bytes], counts: Counts, deadline_s: float
) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=1 << 20)
    try:
        while (started_s := time.perf_counter()) < deadline_s:
            writer.write(next(ring))
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                head = await reader.readuntil(END_OF_HEAD)
                await reader.readexactly(_body_length(head))
            counts.seconds.append(time.perf_counter() - started_s)
            # As wrk counts them: what is refused is an error.
            counts.errors += int(head.split(b" ", 2)[1]) >= 400
    finally:
        writer.close()


def _body_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(LENGTH):
            return int(line.removeprefix(LENGTH))
    return 0


def _figures(counts: Counts, seconds: float) -> str:
    taken_ms = 1_000 * np.array(counts.seconds or [0.0])
    p50, p95, p99 = np.percentile(taken_ms, [50, 95, 99]).tolist()
    return (
        f'{{"requests": {len(counts.seconds)}, "seconds": {seconds}, '
        f'"errors": {counts.errors}, '
        f'"p50_ms": {p50}, "p95_ms": {p95}, "p99_ms": {p99}}}\n'
    )


def main(port: str, connections: str, seconds: str, path: str) -> None:
    work = generate(
        int(port),
        read_requests(Path(path)),
        connections=int(connections),
        seconds=float(seconds),
    )
    sys.stdout.write(_figures(*asyncio.run(work)))


if __name__ == "__main__":
    main(*sys.argv[1:])
