"""Waiting for something to become true, with a deadline instead of a sleep."""

import time
from collections.abc import Callable

import psutil

POLL_S = 0.05


def wait_until(condition: Callable[[], bool], *, within_s: float, what: str) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"{what}: not within {within_s} s")
        time.sleep(POLL_S)


def is_running(pid: int) -> bool:
    """Tell whether a process does anything; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
