"""Who can be served in time is, and a flood hurts the one who sends it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf.limits.fair_queue import TARGET_S, FairQueue, QueuedRequest
from tests.support.queue_simulation import Simulation

NOBODY_WAITS_LONGER_S = 1.0


@dataclass
class Clock:
    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


def request(caller: str, clock: Callable[[], float], limit_s: float) -> QueuedRequest:
    def nothing() -> None: ...

    return QueuedRequest(
        caller=caller,
        arrived_s=clock(),
        time_limit_s=limit_s,
        usual_limit_s=max(limit_s, 30),
        run=nothing,
        refuse=nothing,
    )


def served(queue: FairQueue, clock: Clock, *, work_s: float) -> QueuedRequest | None:
    """Take the next request and do its work."""
    taken = queue.take()
    if taken is not None:
        clock.seconds += work_s
        queue.end(taken, work_s=work_s)
    return taken


@pytest.mark.parametrize("connections", [64, 190])
def test_nobody_is_refused_while_all_can_be_served_in_time(connections: int) -> None:
    load = Simulation(threads=6, work_s=0.3)
    load.send_in_turn("one key", connections=connections)
    load.run(until_s=30)
    assert len(load.answered) > 400
    assert all(answer.is_served for answer in load.answered)


@pytest.mark.parametrize("callers", [3, 200])
def test_under_ten_times_the_load_the_answers_come_in_time(callers: int) -> None:
    load = Simulation(threads=4, work_s=0.05)
    load.send_at_random(800, seconds=8, callers=callers)
    load.run(until_s=30)
    in_time = [
        answer
        for answer in load.answered
        if answer.is_served and answer.seconds <= NOBODY_WAITS_LONGER_S
    ]
    # Of the 80 a second that four threads can do.
    assert len(in_time) / 8 > 0.9 * 80
    seconds = sorted(answer.seconds for answer in in_time)
    assert seconds[len(seconds) // 2] < 0.05 + 2 * TARGET_S


def test_who_sends_little_is_served_beside_a_flood() -> None:
    load = Simulation(threads=4, work_s=0.05)
    load.send_at_random(800, seconds=8)
    load.send_in_turn("light", connections=1)
    load.run(until_s=8)
    light = load.of("light")
    assert len(light) > 80
    assert all(answer.is_served for answer in light)
    assert max(answer.seconds for answer in light) < 0.05 + 2 * TARGET_S


def test_a_flood_is_forgotten_once_it_is_over() -> None:
    load = Simulation(threads=2, work_s=0.05)
    load.send_at_random(800, seconds=2)
    load.run(until_s=20)
    n_before = len(load.answered)
    for _ in range(20):
        load.send("caller 0")
    load.run(until_s=40)
    assert [answer.is_served for answer in load.answered[n_before:]] == [True] * 20


def test_callers_take_turns() -> None:
    clock = Clock()
    queue = FairQueue(max_inside=1, max_waiting=9, max_per_caller=1, clock=clock)
    for caller in "aaabbc":
        assert queue.offer(request(caller, clock, 30))
    order = [served(queue, clock, work_s=0.1) for _ in range(6)]
    assert [taken.caller for taken in order if taken] == list("abcaba")


def test_one_caller_has_not_all_threads_and_not_the_whole_queue() -> None:
    clock = Clock()
    queue = FairQueue(max_inside=3, max_waiting=4, max_per_caller=2, clock=clock)
    offered = [queue.offer(request("greedy", clock, 30)) for _ in range(7)]
    assert offered == [True] * 4 + [False] * 3
    taken = [queue.take() for _ in range(3)]
    assert [found is not None for found in taken] == [True, True, False]
    assert queue.offer(request("other", clock, 30))
    assert queue.take() is not None


def queue_of_long_work(clock: Clock) -> FairQueue:
    """Give a queue that has learned that each request takes a second."""
    queue = FairQueue(max_inside=1, max_waiting=99, max_per_caller=1, clock=clock)
    for _ in range(100):
        queue.offer(request("a", clock, 30))
        served(queue, clock, work_s=1.0)
    return queue


def test_who_would_wait_too_long_for_its_time_limit_is_refused_at_once() -> None:
    clock = Clock()
    queue = queue_of_long_work(clock)
    for caller in "abcd":
        assert queue.offer(request(caller, clock, 30))
    assert not queue.offer(request("e", clock, 4))
    assert queue.offer(request("f", clock, 30))


def test_a_client_in_a_hurry_does_not_hurry_others() -> None:
    clock = Clock()
    queue = queue_of_long_work(clock)
    for caller in "abc":
        assert queue.offer(request(caller, clock, 30))
    assert not queue.offer(request("hurried", clock, 0.001))
    clock.seconds += 5
    taken = queue.take()
    assert taken is not None
    assert not queue.is_late(taken)


def test_who_has_waited_for_half_its_time_is_late() -> None:
    clock = Clock()
    queue = FairQueue(max_inside=1, max_waiting=9, max_per_caller=1, clock=clock)
    assert queue.offer(request("a", clock, 4))
    clock.seconds += 2.1
    taken = queue.take()
    assert taken is not None
    assert queue.is_late(taken)


@given(
    st.lists(st.sampled_from(["a", "b", "c", "take", "end"]), max_size=200),
    st.integers(1, 4),
    st.integers(0, 4),
)
def test_no_request_is_lost_and_no_bound_is_broken(
    steps: list[str], inside: int, waiting: int
) -> None:
    clock = Clock()
    per_caller = max(1, inside - 1)
    queue = FairQueue(
        max_inside=inside,
        max_waiting=waiting,
        max_per_caller=per_caller,
        clock=clock,
    )
    n_accepted, at_work, n_ended = 0, list[QueuedRequest](), 0
    for step in steps:
        if step == "take" and len(at_work) < inside:
            if (taken := queue.take()) is not None:
                at_work.append(taken)
        elif step == "end" and at_work:
            queue.end(at_work.pop(), work_s=0.01)
            n_ended += 1
        elif step in "abc":
            n_accepted += queue.offer(request(step, clock, 30))
        callers = [taken.caller for taken in at_work]
        assert queue.n_inside == len(at_work) <= inside
        assert max(map(callers.count, "abc")) <= per_caller
        assert queue.n_inside + queue.n_waiting <= inside + waiting
        assert n_accepted == n_ended + queue.n_inside + queue.n_waiting
