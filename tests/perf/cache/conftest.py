"""A Redis of a test's own, which it may stop, freeze and kill."""

import os
import signal
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from perf.circuit_breaker import CircuitBreaker
from perf.shared_store import SharedStore
from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site
from riskplatform.embedded.valkey import ValkeyServer
from tests.perf.cache.keeping import Clock

SOCKET_TIMEOUT_S = 0.2


@dataclass(frozen=True, slots=True)
class OwnRedis:
    server: ValkeyServer
    client: Redis
    store: SharedStore
    clock: Clock

    def freeze(self) -> None:
        assert self.server.pid is not None
        os.kill(self.server.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.server.pid is not None
        os.kill(self.server.pid, signal.SIGCONT)

    def let_circuit_try(self) -> None:
        self.clock.now_s += 10.0


@pytest.fixture
def own_redis(tmp_path: Path) -> Generator[OwnRedis]:
    reaper = Reaper()
    site = Site(var=tmp_path, reaper=reaper, password="own", durable=False)
    server = ValkeyServer(site)
    server.start_and_wait()
    client = Redis.from_url(
        server.url,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=SOCKET_TIMEOUT_S,
        retry=None,
    )
    clock = Clock()
    store = SharedStore(lambda: client, circuit=CircuitBreaker(clock=clock))
    yield OwnRedis(server, client, store, clock)
    client.close()
    server.stop()
    reaper.close()
