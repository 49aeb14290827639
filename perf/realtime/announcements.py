"""Tells groups what was written: the commit comes first, the message after it.

`announce` writes a row in the transaction of the change. After the commit the rows of
the group go into its stream, in order. A process that dies between the two, or a Redis
that is away, leaves rows behind, and a sweep of the worker sends them.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from django.db import Error, transaction
from django.db.models import Min
from django.utils import timezone

from perf.realtime.history import history
from perf.realtime.metrics import ANNOUNCED, UNANNOUNCED
from perf.realtime.models import Announcement
from perf.shared_store import StoreUnavailableError

BATCH: Final = 200

logger = logging.getLogger(__name__)


def announce(group: str, messages: Sequence[tuple[UUID, bytes]]) -> None:
    """Send messages to a group if, and only if, the transaction commits.

    Each is an id, by which a client knows one that came twice, and a JSON object.
    """
    if not messages:
        return
    Announcement.objects.bulk_create(
        [
            Announcement(group=group, message_id=message_id, body=body)
            for message_id, body in messages
        ],
        batch_size=500,
    )
    transaction.on_commit(partial(_send_after_commit, group))


def send_waiting() -> int:
    """Send what was written and not announced; returns how many messages."""
    groups = Announcement.objects.order_by().values_list("group", flat=True).distinct()
    try:
        count = sum(map(_send, list(groups)))
    except StoreUnavailableError:
        count = 0
    oldest = Announcement.objects.aggregate(oldest=Min("created_at"))["oldest"]
    age_s = 0.0 if oldest is None else (timezone.now() - oldest).total_seconds()
    UNANNOUNCED.set(max(age_s, 0.0))
    return count


def _send_after_commit(group: str) -> None:
    try:
        _send(group)
    except (StoreUnavailableError, Error):
        # The write is committed and must not look as if it had failed.
        logger.warning("messages to %s wait for the next sweep", group, exc_info=True)


def _send(group: str) -> int:
    count = 0
    while sent := _send_batch(group):
        count += sent
    return count


@transaction.atomic
def _send_batch(group: str) -> int:
    """Send the first rows; locked, so that two processes send in turn, in order."""
    waiting = Announcement.objects.select_for_update().filter(group=group)
    rows = list(waiting.order_by("pk")[:BATCH])
    if rows:
        history.publish(group, [(str(row.message_id), bytes(row.body)) for row in rows])
        Announcement.objects.filter(pk__in=[row.pk for row in rows]).delete()
        ANNOUNCED.inc(len(rows))
    return len(rows)
