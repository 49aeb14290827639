"""Wait for what will happen, not for a time."""

import time
from collections.abc import Callable

POLL_S = 0.01


def wait_until(
    condition: Callable[[], object], *, within_s: float = 20.0, what: str = "it"
) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"{what}: not within {within_s} s"
        time.sleep(POLL_S)
