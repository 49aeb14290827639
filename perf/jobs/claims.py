"""Keeps a lease while a process works: a thread renews it until the work ends."""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import Error, connection

LEASE = timedelta(seconds=60)
RENEW_EVERY_S = 15.0

logger = logging.getLogger(__name__)


def new_runner() -> str:
    """Name whoever works; no two leases have the same name."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(8)}"


@contextmanager
def kept_alive(
    renew: Callable[[], None], *, every_s: float = RENEW_EVERY_S
) -> Iterator[None]:
    """Call `renew` now and then from a thread of its own."""
    done = threading.Event()
    thread = threading.Thread(
        target=_renew_until, args=(done, renew, every_s), name="lease", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _renew_until(
    done: threading.Event, renew: Callable[[], None], every_s: float
) -> None:
    try:
        while not done.wait(every_s):
            try:
                renew()
            except Error:
                # The lease outlasts a few failures; the next try has a new connection.
                logger.warning("a lease was not renewed", exc_info=True)
                connection.close()
    finally:
        connection.close()
