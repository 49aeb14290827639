"""Rows that one process at a time works on: a claim is a lease under a name of its own.

The rows of a process that dies are free when the lease ends. Every write checks the
name, so a process whose row was taken over changes nothing any more.
"""

import logging
import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar, Self, TypeVar

from django.db import Error, connection, models, transaction
from django.db.models import F, Q
from django.utils import timezone

RENEW_EVERY_S = 15.0

Row = TypeVar("Row", bound="Leased")

logger = logging.getLogger(__name__)


class LeasedQuerySet(models.QuerySet[Row]):
    def due(self) -> Self:
        """Filter the rows that are due and have no valid lease."""
        now = timezone.now()
        is_free = Q(lease_until=None) | Q(lease_until__lte=now)
        return self.filter(is_free, due_at__lte=now)

    def claim(self, *, limit: int = 1, **written: Any) -> list[Row]:
        """Take the first rows that are due and that no other process is taking."""
        # A look costs no lock; on SQLite every transaction locks the whole database.
        if not self.due().exists():
            return []
        with transaction.atomic():
            locked = self.due().select_for_update(skip_locked=True, of=("self",))
            rows = list(locked[:limit])
            written["lease_until"] = timezone.now() + self.model.lease
            written["holder"] = _new_holder()
            claimed: models.QuerySet[Row] = models.QuerySet(self.model)
            claimed.filter(pk__in=[row.pk for row in rows]).update(
                attempts=F("attempts") + 1, **written
            )
        for row in rows:
            row.attempts += 1
            for name, value in written.items():
                setattr(row, name, value)
        return rows


class Leased(models.Model):
    """A row of work: due at a time, tried some times, held by one process at a time.

    A method that writes returns whether the claim still held; else nothing is written.
    """

    lease: ClassVar[timedelta] = timedelta(seconds=60)
    first_wait_s: ClassVar[float] = 2.0
    longest_wait_s: ClassVar[float] = 600.0

    due_at = models.DateTimeField(default=timezone.now, help_text="Not before.")
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Nobody else takes it before; the worker renews this while it works.",
    )
    holder = models.CharField(
        max_length=100,
        blank=True,
        help_text="The worker that claimed it last; each claim has a name of its own.",
    )

    class Meta:
        abstract = True

    def held(self) -> models.QuerySet[Self]:
        """Find the row as long as this claim of it holds."""
        rows: models.QuerySet[Self] = models.QuerySet(type(self))
        return rows.filter(pk=self.pk, holder=self.holder, lease_until__isnull=False)

    def renew(self, **written: Any) -> bool:
        return self._write(lease_until=timezone.now() + self.lease, **written)

    def release(self, **written: Any) -> bool:
        """Give the row up, and write down how it stands."""
        return self._write(lease_until=None, **written)

    def hand_back(self, **written: Any) -> bool:
        """Give the row up as if it had not been claimed."""
        return self.release(attempts=F("attempts") - 1, **written)

    def retry_later(self, **written: Any) -> bool:
        """Give the row up after a failure; it is due again after a while."""
        due_at = timezone.now() + timedelta(seconds=self.backoff_s())
        return self.release(due_at=due_at, **written)

    def backoff_s(self) -> float:
        """Wait twice as long after each attempt, less up to a third at random."""
        doubled_s = self.first_wait_s * 2.0 ** min(self.attempts - 1, 30)
        spread = random.uniform(2 / 3, 1.0)  # noqa: S311 - spreads load, hides nothing
        return min(doubled_s, self.longest_wait_s) * spread

    @contextmanager
    def renewing(self, *, longest_s: float) -> Iterator[None]:
        """Renew the lease from a thread while the block works, for so long at most."""
        done = threading.Event()
        thread = threading.Thread(
            target=self._renew_until, args=(done, longest_s), name="lease", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _renew_until(self, done: threading.Event, longest_s: float) -> None:
        ends_s = time.monotonic() + longest_s
        try:
            while not done.wait(RENEW_EVERY_S) and time.monotonic() < ends_s:
                try:
                    self.renew()
                except Error:
                    # The lease outlasts some failures; the next try connects again.
                    logger.warning("a lease was not renewed", exc_info=True)
                    connection.close()
        finally:
            connection.close()

    def _write(self, **written: Any) -> bool:
        return self.held().update(**written) > 0


def _new_holder() -> str:
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(8)}"
