"""How many sockets a process holds: in all, of one principal, from one address."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from perf.realtime.closing import TOO_MANY, SocketClosedError


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatLimits:
    in_all: int
    per_principal: int
    per_address: int


class Seats:
    """Counts open sockets; one event loop uses it, so it needs no lock."""

    def __init__(self, limits: SeatLimits) -> None:
        self.limits = limits
        self.taken = 0
        self._of: Counter[str] = Counter()

    @contextmanager
    def seat(self, *, principal: str, address: str) -> Iterator[None]:
        """Hold a seat for the block.

        Raises
        ------
        SocketClosedError
            With 4429, where none is free.
        """
        names = [f"address {address}"]
        limits = [(self._of[names[0]], self.limits.per_address, "this address")]
        if principal:
            names.append(principal)
            mine = self._of[principal], self.limits.per_principal, "this key or person"
            limits.append(mine)
        limits.append((self.taken, self.limits.in_all, "this process"))
        for count, most, whose in limits:
            if count >= most:
                reason = f"{whose} has {most} sockets, close one"
                raise SocketClosedError(TOO_MANY, reason)
        self.taken += 1
        self._of.update(names)
        try:
            yield
        finally:
            self.taken -= 1
            self._of.subtract(names)
            # Addresses come and go; counts of none would stay for ever.
            for name in names:
                if not self._of[name]:
                    del self._of[name]
