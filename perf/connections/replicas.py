"""Reads from a replica, but never reads what is older than the reader's own write.

A replica is behind its primary. After a write here, or one that is published,
every read goes to the primary for as long as the replica may be behind.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.db.models import Model

from riskplatform.kernel.changes import subscribe

PRIMARY = "default"
REPLICA = "replica"
BOTH = frozenset({PRIMARY, REPLICA})


class Pin:
    """Remembers until when reads go to the primary."""

    def __init__(self) -> None:
        self._until_s = float("-inf")

    @property
    def holds(self) -> bool:
        return time.monotonic() < self._until_s

    def set(self, *_names: object) -> None:
        """Pin: something was committed, here or in another process."""
        self._until_s = time.monotonic() + settings.DATABASE_REPLICA_LAG_S

    def clear(self) -> None:
        self._until_s = float("-inf")


pin = Pin()
_reads_primary: ContextVar[bool] = ContextVar("reads_primary", default=False)


@contextmanager
def primary_only() -> Generator[None]:
    """Read nothing from a replica: the result will be cached and given to others."""
    token = _reads_primary.set(True)
    try:
        yield
    finally:
        _reads_primary.reset(token)


def listen_for_writes() -> None:
    """Have every published change pin this process to the primary."""
    if REPLICA in connections.settings:
        subscribe(pin.set)


class ReplicaRouter:
    """Sends reads of DATABASE_REPLICA_APPS to the replica while nothing pins them.

    It decides for every model that no router before it has claimed: where a router
    is silent, Django writes an object to where it was read from.
    """

    def db_for_read(self, model: type[Model], **_hints: Any) -> str | None:
        if REPLICA not in connections.settings:
            return None
        app = model._meta.app_label  # noqa: SLF001 - documented interface of Django
        is_current = (
            app not in settings.DATABASE_REPLICA_APPS
            or pin.holds
            or _reads_primary.get()
            or connections[PRIMARY].in_atomic_block
        )
        return PRIMARY if is_current else REPLICA

    def db_for_write(self, _model: type[Model], **_hints: Any) -> str | None:
        if REPLICA not in connections.settings:
            return None
        pin.set()
        if connections[PRIMARY].in_atomic_block:
            # A long transaction is visible elsewhere only from its end on.
            transaction.on_commit(pin.set, using=PRIMARY)
        return PRIMARY

    def allow_relation(self, one: Model, other: Model, **_hints: Any) -> bool | None:
        databases = {one._state.db, other._state.db}  # noqa: SLF001 - as Django's docs do
        return True if databases <= BOTH else None

    def allow_migrate(self, db: str, _app_label: str, **_hints: Any) -> bool | None:
        return False if db == REPLICA else None
