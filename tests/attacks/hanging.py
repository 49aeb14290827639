"""Processes that hang: stopped by a signal, they keep their sockets and say nothing."""

import os
import signal
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress


@contextmanager
def hanging(*pids: int) -> Generator[None]:
    """Stop processes inside the block; whoever is gone by its end was killed."""
    _send(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            _send(pids, signal.SIGCONT)


def _send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        os.kill(pid, number)
