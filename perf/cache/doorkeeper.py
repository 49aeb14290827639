"""Notes which keys were asked for, so that only what comes again is stored elsewhere.

A Bloom filter that is emptied when it is full: the doorkeeper of TinyLFU (Einziger and
others, 2017, TinyLFU: a highly efficient cache admission policy).
"""

from collections.abc import Hashable
from typing import Final

# One byte each. With as many keys as it takes, one of some 60 new ones looks known.
SLOTS: Final = 1 << 20
BITS: Final = 20
MAX_KEYS: Final = 100_000


class Doorkeeper:
    """Of one process; a race between threads costs one entry, no more."""

    def __init__(self) -> None:
        self._slots = bytearray(SLOTS)
        self._n_keys = 0

    def is_first(self, key: Hashable) -> bool:
        """Note a key; return whether it is new since the filter was emptied."""
        number = hash(key)
        places = [(number >> shift) & (SLOTS - 1) for shift in (0, BITS, 2 * BITS)]
        if all(self._slots[place] for place in places):
            return False
        if self._n_keys >= MAX_KEYS:
            self._slots = bytearray(SLOTS)
            self._n_keys = 0
        self._n_keys += 1
        for place in places:
            self._slots[place] = 1
        return True
