"""A Redis of a test's own, which it may stop, freeze and kill."""

from collections.abc import Generator
from pathlib import Path

import pytest
from redis import Redis

from perf.circuit_breaker import CircuitBreaker
from perf.shared_store import SharedStore
from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site
from riskplatform.embedded.valkey import ValkeyServer
from tests.perf.cache.keeping import Clock
from tests.perf.cache.own_redis import OwnRedis

SOCKET_TIMEOUT_S = 0.2


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
