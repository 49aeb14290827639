"""Wait for what will happen, not for a time."""

import time
from collections.abc import Callable

STEP_S = 0.005


def wait_until(is_so: Callable[[], object], *, within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(STEP_S)
