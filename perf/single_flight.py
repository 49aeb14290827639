"""One computation for all threads that want the same at the same time."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Generic, TypeVar

from riskplatform.kernel.errors import DeadlineError

Result = TypeVar("Result")


@dataclass(slots=True)
class _Call(Generic[Result]):
    is_done: Event = field(default_factory=Event)
    waiters: int = 0
    result: Result | None = None
    error: BaseException | None = None


class SingleFlight(Generic[Result]):
    """Joins the threads of a process; between processes a lease has to."""

    def __init__(self) -> None:
        self._calls: dict[Hashable, _Call[Result]] = {}
        self._lock = Lock()

    def run(
        self, key: Hashable, compute: Callable[[], Result], *, wait_s: float
    ) -> tuple[Result, bool]:
        """Compute, or wait for the thread that does; also returns if that was another.

        What that thread raises is raised here as well, unless it is that its own time
        was up. A thread that waited `wait_s` seconds in vain computes alone.
        """
        with self._lock:
            call = self._calls.get(key)
            if is_first := call is None:
                call = self._calls[key] = _Call()
            else:
                call.waiters += 1
        if is_first:
            return self._lead(key, call, compute), False
        is_done = call.is_done.wait(wait_s)
        if not is_done or isinstance(call.error, DeadlineError):
            return compute(), False
        if call.error is not None:
            raise call.error
        return call.result, True  # type: ignore[return-value]  # it is done

    def _lead(
        self, key: Hashable, call: _Call[Result], compute: Callable[[], Result]
    ) -> Result:
        try:
            call.result = result = compute()
        except BaseException as error:
            call.error = error
            raise
        finally:
            with self._lock:
                self._calls.pop(key, None)
            call.is_done.set()
        return result
