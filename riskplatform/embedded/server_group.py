"""The servers behind the three URLs, started together, stopped in reverse."""

from collections.abc import Iterable, Mapping
from typing import Self

from riskplatform.embedded.clickhouse_server import ClickHouseServer
from riskplatform.embedded.postgres import PostgresServer
from riskplatform.embedded.server import Server, Site
from riskplatform.embedded.valkey import ValkeyServer

SERVER_OF_VARIABLE: Mapping[str, type[Server]] = {
    "REDIS_URL": ValkeyServer,
    "CLICKHOUSE_URL": ClickHouseServer,
    "DATABASE_URL": PostgresServer,
}


class ServerGroup:
    """One server for each variable named; usable as a context manager."""

    def __init__(
        self, site: Site, variables: Iterable[str], *, usual_ports: bool = False
    ) -> None:
        self.servers: dict[str, Server] = {}
        for variable in variables:
            kind = SERVER_OF_VARIABLE[variable]
            port = kind.usual_port if usual_ports else 0
            self.servers[variable] = kind(site, preferred_port=port)

    @property
    def urls(self) -> dict[str, str]:
        return {variable: server.url for variable, server in self.servers.items()}

    def start(self) -> None:
        """Start all at once, then wait for each."""
        try:
            for server in self.servers.values():
                server.start()
            for server in self.servers.values():
                server.start_and_wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        for server in self.servers.values():
            server.ask_to_stop()
        for server in reversed(self.servers.values()):
            server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
