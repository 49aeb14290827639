from dataclasses import dataclass

import pytest

from perf.circuit_breaker import CircuitBreaker


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, open_s=2.0, clock=clock)


def test_it_stays_closed_while_failures_are_not_in_a_row(
    circuit: CircuitBreaker,
) -> None:
    for _ in range(5):
        circuit.failed()
        circuit.failed()
        circuit.succeeded()
    assert circuit.lets_through()


def test_it_opens_once_after_three_failures_in_a_row(circuit: CircuitBreaker) -> None:
    assert [circuit.failed() for _ in range(4)] == [False, False, True, False]
    assert not circuit.lets_through()


def test_it_lets_one_attempt_through_a_time(
    circuit: CircuitBreaker, clock: Clock
) -> None:
    for _ in range(3):
        circuit.failed()
    clock.now_s += 2.0
    assert [circuit.lets_through() for _ in range(3)] == [True, False, False]
    clock.now_s += 2.0
    assert circuit.lets_through()


def test_a_success_closes_it(circuit: CircuitBreaker, clock: Clock) -> None:
    for _ in range(3):
        circuit.failed()
    clock.now_s += 2.0
    assert circuit.lets_through()
    assert circuit.succeeded()
    assert [circuit.lets_through() for _ in range(3)] == [True, True, True]
    assert not circuit.succeeded()


def test_a_failed_attempt_keeps_it_open(circuit: CircuitBreaker, clock: Clock) -> None:
    for _ in range(3):
        circuit.failed()
    clock.now_s += 2.0
    assert circuit.lets_through()
    circuit.failed()
    clock.now_s += 1.9
    assert not circuit.lets_through()
