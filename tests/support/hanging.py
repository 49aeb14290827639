"""Processes that hang: stopped by a signal, they keep their sockets and say nothing."""

import os
import signal
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress

import psutil

from tests.support.waiting import wait_until


@contextmanager
def hanging(*pids: int) -> Generator[None]:
    """Stop processes inside the block; whoever is gone by its end was killed."""
    _send(pids, signal.SIGSTOP)
    # A thread on another core goes on for a moment, and might answer one more request.
    wait_until(lambda: all(map(_is_stopped, pids)), what="the stop of a process")
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            _send(pids, signal.SIGCONT)


def _send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        os.kill(pid, number)


def _is_stopped(pid: int) -> bool:
    try:
        return all(
            psutil.Process(thread.id).status() == psutil.STATUS_STOPPED
            for thread in psutil.Process(pid).threads()
        )
    except psutil.NoSuchProcess:
        # A thread has ended since they were listed.
        return False
