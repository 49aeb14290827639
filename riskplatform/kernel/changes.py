"""Publishes what has changed to those who hold copies of it.

A name is `kind:id`, such as `portfolio:018f…` or `forecast:chicago`. Services publish
what they have written; caches subscribe. Neither knows the other.
"""

import logging
from collections.abc import Callable
from functools import partial

from django.db import transaction

Subscriber = Callable[[frozenset[str]], None]

_subscribers: list[Subscriber] = []
logger = logging.getLogger(__name__)


def publish_changes(*names: str) -> None:
    """Call every subscriber once the current transaction is committed.

    Without a transaction they are called at once, after a rollback never.
    """
    if names:
        transaction.on_commit(partial(_send, frozenset(names)))


def publish_changes_at_once(*names: str) -> None:
    """Call every subscriber at once, for what no transaction covers, such as events."""
    if names:
        _send(frozenset(names))


def subscribe(subscriber: Subscriber) -> None:
    """Call a function with every change; to subscribe again changes nothing."""
    if subscriber not in _subscribers:
        _subscribers.append(subscriber)


def _send(names: frozenset[str]) -> None:
    for subscriber in _subscribers:
        try:
            subscriber(names)
        except Exception:
            # The write is committed: it must not look as if it had failed.
            logger.exception("a subscriber failed on %s", ", ".join(sorted(names)))
