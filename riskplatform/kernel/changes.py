"""Says what has changed, to whoever holds copies of it.

A name is `kind:id`, such as `portfolio:018f…` or `forecast:chicago`. Services announce
what they have written; caches listen. Neither knows the other.
"""

import logging
from collections.abc import Callable
from functools import partial

from django.db import transaction

Listener = Callable[[frozenset[str]], None]

_listeners: list[Listener] = []
logger = logging.getLogger(__name__)


def announce(*names: str) -> None:
    """Tell every listener once the transaction at work is committed.

    Without a transaction they are told at once, with one that is rolled back never.
    """
    if names:
        transaction.on_commit(partial(_tell, frozenset(names)))


def announce_at_once(*names: str) -> None:
    """Tell every listener of what no transaction holds back, such as stored events."""
    if names:
        _tell(frozenset(names))


def listen(listener: Listener) -> None:
    """Have a function told of every change; telling it twice would change nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def _tell(names: frozenset[str]) -> None:
    for listener in _listeners:
        try:
            listener(names)
        except Exception:
            # The write is committed: it must not look as if it had failed.
            logger.exception("a listener failed on %s", ", ".join(sorted(names)))
