"""Do a few things at once, each with its own failure, within one deadline."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import OperationalError, connections

from riskplatform.kernel.errors import ApplicationError, UnavailableError

MAX_THREADS = 16


class DeadlineError(UnavailableError):
    code = "timed_out"
    title = "It took too long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one part came to: a value, or the error that kept it from one."""

    value: Any = None
    error: ApplicationError | None = None


def run_together(
    parts: Mapping[str, Callable[[], Any]], *, deadline_s: float
) -> dict[str, Outcome]:
    """Run every part in a thread of its own; what is late is an error of its part.

    A part that is late goes on until its own time limits end it, and counts among
    the threads of the process until then.
    """
    until_s = time.monotonic() + deadline_s
    futures = {
        name: _threads().submit(_with_own_connections, part)
        for name, part in parts.items()
    }
    return {name: _outcome(future, until_s) for name, future in futures.items()}


def _outcome(future: "Future[Any]", until_s: float) -> Outcome:
    try:
        return Outcome(
            value=future.result(timeout=max(0.0, until_s - time.monotonic()))
        )
    except TimeoutError:
        future.cancel()
        return Outcome(error=DeadlineError("This part took too long. Try again."))
    except ApplicationError as error:
        return Outcome(error=error)
    except OperationalError:
        reason = "The database does not answer. Try again shortly."
        return Outcome(error=UnavailableError(reason))


def _with_own_connections(part: Callable[[], Any]) -> Any:
    try:
        return part()
    finally:
        connections.close_all()


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Start the threads at the first use: a process that forks later has none."""
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="part")
