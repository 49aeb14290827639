"""A Redis of a test's own, which it may stop, freeze and kill."""

import os
import signal
from dataclasses import dataclass

from redis import Redis

from perf.shared_store import SharedStore
from riskplatform.embedded.valkey import ValkeyServer
from tests.perf.cache.keeping import Clock


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
