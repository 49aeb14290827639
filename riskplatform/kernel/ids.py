"""Identifiers that sort by the time they were made."""

import secrets
import time
import uuid
from threading import Lock

# What is random below the milliseconds: two fields, of which the version is in one.
RANDOM_BITS = 74
# Leap seconds and NTP set clocks back a little. A larger step corrects a wrong clock:
# identifiers must not carry its time until the right one has caught up.
MAX_CLOCK_STEP_BACK_MS = 10_000

_lock = Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """Make a version 7 UUID (RFC 9562): 48 bits of milliseconds, 74 random bits.

    Those made by one process ascend, also within a millisecond (section 6.2) and when
    the clock is set back by up to 10 s. When it is set back by more, they start again
    at its time.
    """
    global _last  # noqa: PLW0603 - the order is that of the process
    now_ms = time.time_ns() // 1_000_000
    fresh = now_ms << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
    with _lock:
        step_back_ms = (_last >> RANDOM_BITS) - now_ms
        if step_back_ms > MAX_CLOCK_STEP_BACK_MS:
            _last = fresh
        else:
            _last = max(fresh, _last + 1)
        number = _last
    milliseconds, upper = number >> RANDOM_BITS, (number >> 62) & 0xFFF
    value = milliseconds << 80 | 0x7 << 76 | upper << 64 | 0x2 << 62
    return uuid.UUID(int=value | number & ((1 << 62) - 1))
