"""Checks that the database server has room for the connections of all processes."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections

# The rest is for people, backups, and a deployment during which old and new both run.
SHARE = 0.8


def demand() -> dict[str, int]:
    """Give how many connections each kind of process may hold at once."""
    # Of a web process: those of all groups of routes, and of probes.
    threads = sum(slots.inside for slots in settings.WEB_SLOTS.values()) + 1
    return {
        "web": settings.WEB_WORKERS * threads,
        "realtime": settings.CONNECTION_POLICY.pool_size,
        "others": settings.DATABASE_OTHER_CONNECTIONS,
    }


def check_capacity(alias: str) -> list[checks.CheckMessage]:
    """Compare with the server; other databases, and PgBouncer, have no such limit."""
    is_bounded = not settings.CONNECTION_POLICY.is_behind_pgbouncer
    if connections[alias].vendor != "postgresql" or not is_bounded:
        return []
    with connections[alias].cursor() as cursor:
        cursor.execute("SHOW max_connections")
        limit = int(cursor.fetchone()[0])
    wanted = demand()
    total = sum(wanted.values())
    if total <= SHARE * limit:
        return []
    parts = ", ".join(f"{kind} {count}" for kind, count in wanted.items())
    return [
        checks.Warning(
            f"The processes may open {total} ({parts}) connections to {alias}, more"
            f" than {SHARE:.0%} of the server's {limit}.",
            hint="Lower WEB_WORKERS, WEB_MAX_CONCURRENCY or DATABASE_POOL_SIZE, raise"
            " max_connections, or put PgBouncer in between (docs/connections.md).",
            id="perf.W001",
        )
    ]


def check_connections_fit(
    *, databases: Sequence[str] | None = None, **_options: Any
) -> list[checks.CheckMessage]:
    return [advice for alias in databases or () for advice in check_capacity(alias)]
