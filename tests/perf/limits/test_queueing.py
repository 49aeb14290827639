"""A gate lets so many in; how long the others may wait follows from the queue."""

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf.limits.queueing import Gate, QueueDelay
from tests.perf.bench.bench_doubles import ManualClock
from tests.support.waiting import wait_until

Enter = Callable[[Gate], "Future[bool]"]

TARGET_S, INTERVAL_S = 0.05, 10.0


@pytest.fixture
def delay() -> QueueDelay:
    return QueueDelay(target_s=TARGET_S, interval_s=INTERVAL_S)


@pytest.fixture
def enter() -> Generator[Enter]:
    """Have a thread come to a gate, and go on once it waits there or is through."""
    with ThreadPoolExecutor(8) as threads:

        def come(gate: Gate) -> "Future[bool]":
            n_waiting = gate.n_waiting
            future = threads.submit(gate.enter)
            wait_until(lambda: future.done() or gate.n_waiting > n_waiting)
            return future

        yield come


def test_a_queue_that_was_just_empty_may_hold_a_burst(delay: QueueDelay) -> None:
    delay.note_empty(100.0)
    assert delay.allowed_s(100.0 + INTERVAL_S) == INTERVAL_S


def test_in_a_queue_that_has_stood_for_an_interval_nobody_waits_long(
    delay: QueueDelay,
) -> None:
    delay.note_empty(100.0)
    assert delay.allowed_s(100.0 + INTERVAL_S + 0.001) == TARGET_S
    delay.note_empty(120.0)
    assert delay.allowed_s(120.0) == INTERVAL_S


def test_there_is_room_for_so_many_at_work_and_so_many_waiting(
    enter: Enter, delay: QueueDelay
) -> None:
    gate = Gate(max_inside=2, max_waiting=1, delay=delay, clock=ManualClock())
    assert [gate.enter(), gate.enter()] == [True, True]
    waiting = enter(gate)
    assert gate.enter() is False
    gate.leave()
    assert waiting.result(10) is True
    assert (gate.n_inside, gate.n_waiting) == (2, 0)


def test_the_first_who_came_goes_first(enter: Enter, delay: QueueDelay) -> None:
    gate = Gate(max_inside=1, max_waiting=2, delay=delay, clock=ManualClock())
    gate.enter()
    first, second = enter(gate), enter(gate)
    gate.leave()
    assert first.result(10) is True
    assert not second.done()
    gate.leave()
    assert second.result(10) is True


def test_after_a_burst_everybody_is_served(enter: Enter, delay: QueueDelay) -> None:
    clock = ManualClock()
    gate = Gate(max_inside=1, max_waiting=4, delay=delay, clock=clock)
    gate.enter()
    waiting = [enter(gate) for _ in range(4)]
    for _ in waiting:
        clock.seconds += INTERVAL_S / 5
        gate.leave()
    assert [future.result(10) for future in waiting] == [True] * 4


def test_when_the_queue_stands_those_who_waited_too_long_are_sent_away(
    enter: Enter, delay: QueueDelay
) -> None:
    clock = ManualClock()
    gate = Gate(max_inside=1, max_waiting=3, delay=delay, clock=clock)
    gate.enter()
    old = [enter(gate), enter(gate)]
    clock.seconds += INTERVAL_S + 1
    fresh = enter(gate)
    clock.seconds += TARGET_S / 2
    gate.leave()
    assert [future.result(10) for future in (*old, fresh)] == [False, False, True]
    assert (gate.n_inside, gate.n_waiting) == (1, 0)


def test_nobody_waits_for_longer_than_the_interval() -> None:
    delay = QueueDelay(target_s=0.001, interval_s=0.01)
    gate = Gate(max_inside=1, max_waiting=1, delay=delay)
    assert [gate.enter(), gate.enter()] == [True, False]
    assert (gate.n_inside, gate.n_waiting) == (1, 0)


def test_one_caller_has_not_all_places_and_not_the_whole_line(
    delay: QueueDelay,
) -> None:
    gate = Gate(
        max_inside=3, max_waiting=2, max_per_caller=2, delay=delay, clock=ManualClock()
    )
    assert [gate.enter_at_once("greedy") for _ in range(3)] == [True, True, False]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(gate.enter, "greedy")
        wait_until(lambda: gate.n_waiting == 1)
        assert gate.enter("greedy") is False
        # Nobody waits who could come in, so others need not wait behind.
        assert gate.enter("other") is True
        gate.leave("other")
        assert not waiting.done()
        gate.leave("greedy")
        assert waiting.result(10) is True
    assert (gate.n_inside, gate.n_waiting) == (2, 0)


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 5))
def test_never_more_are_inside_than_may_be(comes: list[bool], most: int) -> None:
    gate = Gate(max_inside=most, max_waiting=0, clock=ManualClock())
    inside = 0
    for comes_in in comes:
        if comes_in:
            is_admitted = gate.enter()
            assert is_admitted == (inside < most)
            inside += is_admitted
        elif inside:
            gate.leave()
            inside -= 1
        assert gate.n_inside == inside
