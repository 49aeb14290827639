"""One computation for everybody who asks for the same at the same time."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Generic, TypeVar

from riskplatform.kernel.errors import DeadlineError

Result = TypeVar("Result")


@dataclass(slots=True)
class _Flight(Generic[Result]):
    landed: Event = field(default_factory=Event)
    passengers: int = 0
    result: Result | None = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Landed(Generic[Result]):
    """What came out, and whether somebody else had computed it."""

    result: Result
    is_shared: bool


class Flights(Generic[Result]):
    """Joins the threads of a process; between processes something else has to."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[Result]] = {}
        self._lock = Lock()

    def run(
        self, key: Hashable, compute: Callable[[], Result], *, wait_s: float
    ) -> Landed[Result]:
        """Compute, or wait for the thread that does so already.

        What that thread raises is raised here as well, unless it is that its own time
        was up. Whoever has waited `wait_s` seconds in vain computes alone.
        """
        with self._lock:
            flight = self._flights.get(key)
            is_first = flight is None
            if flight is None:
                flight = self._flights[key] = _Flight()
            else:
                flight.passengers += 1
        if is_first:
            return Landed(self._fly(key, flight, compute), is_shared=False)
        has_landed = flight.landed.wait(wait_s)
        if not has_landed or isinstance(flight.error, DeadlineError):
            return Landed(compute(), is_shared=False)
        if flight.error is not None:
            raise flight.error
        return Landed(flight.result, is_shared=True)  # type: ignore[arg-type]  # landed

    def waiting(self, key: Hashable) -> int:
        """Count who waits for a computation under way."""
        flight = self._flights.get(key)
        return 0 if flight is None else flight.passengers

    def _fly(
        self,
        key: Hashable,
        flight: _Flight[Result],
        compute: Callable[[], Result],
    ) -> Result:
        try:
            flight.result = compute()
        except BaseException as error:
            flight.error = error
            raise
        else:
            return flight.result
        finally:
            with self._lock:
                self._flights.pop(key, None)
            flight.landed.set()
