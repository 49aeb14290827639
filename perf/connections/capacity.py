"""Checks that the database server has room for the connections of all processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections

# The rest is for people, backups, and a deployment during which old and new both run.
SHARE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionDemand:
    """How many connections each kind of process may hold at once."""

    web: int
    realtime: int
    others: int

    @property
    def total(self) -> int:
        return self.web + self.realtime + self.others

    def __str__(self) -> str:
        return (
            f"{self.total} (web {self.web}, realtime {self.realtime},"
            f" others {self.others})"
        )


def demand() -> ConnectionDemand:
    return ConnectionDemand(
        web=settings.WEB_WORKERS * _threads_with_connections(),
        realtime=settings.CONNECTION_POLICY.pool_size,
        others=settings.DATABASE_OTHER_CONNECTIONS,
    )


def _threads_with_connections() -> int:
    """Count those of a web process: of all groups of routes, and of probes."""
    return sum(slots.inside for slots in settings.WEB_SLOTS.values()) + 1


def check_capacity(alias: str) -> list[checks.CheckMessage]:
    """Compare with the server; other databases, and PgBouncer, have no such limit."""
    is_bounded = not settings.CONNECTION_POLICY.is_behind_pgbouncer
    if connections[alias].vendor != "postgresql" or not is_bounded:
        return []
    with connections[alias].cursor() as cursor:
        cursor.execute("SHOW max_connections")
        limit = int(cursor.fetchone()[0])
    wanted = demand()
    if wanted.total <= SHARE * limit:
        return []
    return [
        checks.Warning(
            f"The processes may open {wanted} connections to {alias}, more than"
            f" {SHARE:.0%} of the server's {limit}.",
            hint="Lower WEB_WORKERS, WEB_MAX_CONCURRENCY or DATABASE_POOL_SIZE, raise"
            " max_connections, or put PgBouncer in between (docs/connections.md).",
            id="perf.W001",
        )
    ]


def check_connections_fit(
    *, databases: Sequence[str] | None = None, **_options: Any
) -> list[checks.CheckMessage]:
    return [advice for alias in databases or () for advice in check_capacity(alias)]
