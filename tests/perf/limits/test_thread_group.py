"""A group of routes works in threads of its own."""

import time
from collections.abc import Generator
from threading import Event, Lock

import pytest

from perf.limits.fair_queue import QueuedRequest
from perf.limits.thread_group import ThreadGroup
from tests.support.waiting import wait_until


class Work:
    """Requests that note who is served, and stay at work until they are told to end."""

    def __init__(self) -> None:
        self.may_end = Event()
        self.at_work: list[str] = []
        self.refused: list[str] = []
        self._lock = Lock()

    def request(self, caller: str, *, arrived_s_ago: float = 0.0) -> QueuedRequest:
        return QueuedRequest(
            caller=caller,
            arrived_s=time.monotonic() - arrived_s_ago,
            time_limit_s=600,
            usual_limit_s=600,
            run=lambda: self._run(caller),
            refuse=lambda: self.refused.append(caller),
        )

    def _run(self, caller: str) -> None:
        with self._lock:
            self.at_work.append(caller)
        assert self.may_end.wait(10)


@pytest.fixture
def work() -> Generator[Work]:
    work = Work()
    yield work
    work.may_end.set()


def group(**bounds: int) -> ThreadGroup:
    return ThreadGroup(
        "test", **{"max_inside": 2, "max_waiting": 2, "max_per_caller": 1} | bounds
    )


def test_so_many_are_at_work_and_so_many_wait(work: Work) -> None:
    own = group()
    submitted = [own.submit(work.request(f"c{number}")) for number in range(5)]
    assert submitted == [True] * 4 + [False]
    wait_until(lambda: len(work.at_work) == 2)


def test_one_caller_leaves_a_thread_to_others(work: Work) -> None:
    own = group()
    assert [own.submit(work.request("greedy")) for _ in range(3)] == [True, True, False]
    assert own.submit(work.request("other"))
    wait_until(lambda: sorted(work.at_work) == ["greedy", "other"])


def test_who_waits_is_served_when_a_thread_is_free(work: Work) -> None:
    own = group(max_inside=1)
    assert all(own.submit(work.request(caller)) for caller in "ab")
    wait_until(lambda: work.at_work == ["a"])
    work.may_end.set()
    wait_until(lambda: work.at_work == ["a", "b"])


def test_who_has_waited_too_long_is_refused(work: Work) -> None:
    assert group().submit(work.request("late", arrived_s_ago=301))
    wait_until(lambda: work.refused == ["late"])


def test_work_that_fails_takes_no_thread_along(work: Work) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    own = group(max_inside=1)
    failing = QueuedRequest(
        caller="a",
        arrived_s=time.monotonic(),
        time_limit_s=30,
        usual_limit_s=30,
        run=fail,
        refuse=fail,
    )
    assert own.submit(failing)
    wait_until(lambda: own.submit(work.request("b")))
    wait_until(lambda: work.at_work == ["b"])
