"""A forked child leaves the connections of its parent alone."""

import os
from typing import Any

from django.db import connections

# Never closed, because closing one would end it for the parent too.
_inherited: list[Any] = []


def forget_after_fork() -> None:
    """Have every child begin without connections; called once in a process."""
    os.register_at_fork(after_in_child=_forget)


def _forget() -> None:
    for connection in connections.all(initialized_only=True):
        if connection.vendor != "postgresql":
            continue
        if connection.connection is not None:
            _inherited.append(connection.connection)
            connection.connection = None
        # The threads that serve a pool stayed behind.
        pools = connection._connection_pools  # type: ignore[attr-defined]  # noqa: SLF001 - has no other name
        _inherited.extend(pools.values())
        pools.clear()
