from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from perf.single_flight import Flights, Landed
from riskplatform.kernel.errors import DeadlineError
from tests.perf.waiting import wait_until

WAIT_S = 10.0


def fly_together(
    flights: Flights[int], compute: Callable[[], int], *, passengers: int
) -> "list[Future[Landed[int]]]":
    """Start one computation and let others join before it goes on."""
    go_on = Event()

    def held() -> int:
        assert go_on.wait(WAIT_S)
        return compute()

    with ThreadPoolExecutor(passengers + 1) as threads:
        futures = [
            threads.submit(flights.run, "key", held, wait_s=WAIT_S)
            for _ in range(passengers + 1)
        ]
        wait_until(lambda: flights.waiting("key") == passengers)
        go_on.set()
    return futures


def test_all_who_ask_at_once_share_one_computation() -> None:
    calls = iter(range(42, 50))
    flights: Flights[int] = Flights()
    futures = fly_together(flights, lambda: next(calls), passengers=20)
    landed = [future.result() for future in futures]
    assert [part.result for part in landed] == [42] * 21
    assert sum(part.is_shared for part in landed) == 20
    assert next(calls) == 43


def test_an_error_is_everybodys_and_is_not_kept() -> None:
    flights: Flights[int] = Flights()

    def fail() -> int:
        raise ZeroDivisionError

    for future in fly_together(flights, fail, passengers=3):
        with pytest.raises(ZeroDivisionError):
            future.result()
    assert flights.run("key", lambda: 1, wait_s=WAIT_S) == Landed(1, is_shared=False)


def test_whoever_waits_too_long_computes_alone() -> None:
    flights: Flights[int] = Flights()
    go_on = Event()

    def slow() -> int:
        assert go_on.wait(WAIT_S)
        return 1

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(flights.run, "key", slow, wait_s=WAIT_S)
        wait_until(lambda: "key" in flights._flights)
        assert flights.run("key", lambda: 2, wait_s=0.0) == Landed(2, is_shared=False)
        go_on.set()
        assert first.result() == Landed(1, is_shared=False)


def test_a_time_that_is_up_is_only_that_of_who_had_it() -> None:
    calls = iter([DeadlineError("The time for this request is up."), None, None, None])
    flights: Flights[int] = Flights()

    def compute() -> int:
        error = next(calls)
        if error is not None:
            raise error
        return 42

    outcomes = fly_together(flights, compute, passengers=3)
    errors = [future.exception() for future in outcomes]
    assert sum(isinstance(error, DeadlineError) for error in errors) == 1
    assert [
        future.result().result for future in outcomes if not future.exception()
    ] == ([42] * 3)
