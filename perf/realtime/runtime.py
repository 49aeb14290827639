"""What the sockets of one event loop share: the hub, the guard, the seats."""

import asyncio
from typing import Final, Self
from weakref import WeakKeyDictionary

from django.conf import settings

from perf.realtime.guard import Guard
from perf.realtime.history import history
from perf.realtime.hub import Hub
from perf.realtime.seats import SeatLimits, Seats
from riskplatform.api.error_log import error_log

# Of numpy's work in threads: more would keep the event loop from its turn.
WORKING: Final = 2


class Runtime:
    def __init__(self) -> None:
        self.hub = Hub(history, url=settings.REDIS_URL)
        self.guard = Guard()
        # What takes a while: frames of large maps, assessments.
        self.working = asyncio.Semaphore(WORKING)
        self.seats = Seats(
            SeatLimits(
                in_all=settings.REALTIME_MAX_SOCKETS,
                per_principal=settings.REALTIME_MAX_PER_PRINCIPAL,
                per_address=settings.REALTIME_MAX_PER_ADDRESS,
            )
        )
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> Self:
        self.hub.start()
        self._watching = asyncio.create_task(self.guard.run())
        self._watching.add_done_callback(_say_if_broken)
        return self

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await self.hub.stop()


def current_runtime() -> Runtime:
    """Give that of the event loop at work, started with its first socket."""
    loop = asyncio.get_running_loop()
    if loop not in _runtimes:
        _runtimes[loop] = Runtime().start()
    return _runtimes[loop]


def _say_if_broken(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        error_log.error("nobody checks any more who may listen", exc_info=error)


_runtimes: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Runtime]] = (
    WeakKeyDictionary()
)
