from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from perf.single_flight import SingleFlight
from riskplatform.kernel.errors import DeadlineError
from tests.support.waiting import wait_until

WAIT_S = 10.0


def waiting(flights: SingleFlight[int]) -> int:
    call = flights._calls.get("key")
    return 0 if call is None else call.waiters


def run_together(
    flights: SingleFlight[int], compute: Callable[[], int], *, waiters: int
) -> "list[Future[tuple[int, bool]]]":
    """Start one computation and let others join before it goes on."""
    go_on = Event()

    def held() -> int:
        assert go_on.wait(WAIT_S)
        return compute()

    with ThreadPoolExecutor(waiters + 1) as threads:
        futures = [
            threads.submit(flights.run, "key", held, wait_s=WAIT_S)
            for _ in range(waiters + 1)
        ]
        wait_until(lambda: waiting(flights) == waiters)
        go_on.set()
    return futures


def test_all_who_ask_at_once_share_one_computation() -> None:
    calls = iter(range(42, 50))
    flights: SingleFlight[int] = SingleFlight()
    futures = run_together(flights, lambda: next(calls), waiters=20)
    results, are_shared = zip(*(future.result() for future in futures), strict=True)
    assert results == (42,) * 21
    assert sum(are_shared) == 20
    assert next(calls) == 43


def test_an_error_is_everybodys_and_is_not_kept() -> None:
    flights: SingleFlight[int] = SingleFlight()

    def fail() -> int:
        raise ZeroDivisionError

    for future in run_together(flights, fail, waiters=3):
        with pytest.raises(ZeroDivisionError):
            future.result()
    assert flights.run("key", lambda: 1, wait_s=WAIT_S) == (1, False)


def test_whoever_waits_too_long_computes_alone() -> None:
    flights: SingleFlight[int] = SingleFlight()
    go_on = Event()

    def slow() -> int:
        assert go_on.wait(WAIT_S)
        return 1

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(flights.run, "key", slow, wait_s=WAIT_S)
        wait_until(lambda: "key" in flights._calls)
        assert flights.run("key", lambda: 2, wait_s=0.0) == (2, False)
        go_on.set()
        assert first.result() == (1, False)


def test_a_time_that_is_up_is_only_that_of_who_had_it() -> None:
    calls = iter([DeadlineError("The time for this request is up."), None, None, None])
    flights: SingleFlight[int] = SingleFlight()

    def compute() -> int:
        error = next(calls)
        if error is not None:
            raise error
        return 42

    outcomes = run_together(flights, compute, waiters=3)
    errors = [future.exception() for future in outcomes]
    assert sum(isinstance(error, DeadlineError) for error in errors) == 1
    assert [future.result()[0] for future in outcomes if not future.exception()] == (
        [42] * 3
    )
