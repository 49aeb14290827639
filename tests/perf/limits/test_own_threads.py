"""A group of routes works in threads of its own, and no caller has all of them."""

from collections.abc import Generator
from threading import Event, Lock

import pytest

from perf.limits import own_threads
from perf.limits.own_threads import OwnThreads, QueuedRequest
from tests.support.waiting import wait_until


class Work:
    """Jobs that note who does what, and stay at work until they are told to end."""

    def __init__(self) -> None:
        self.may_end = Event()
        self.at_work: list[str] = []
        self.refused: list[str] = []
        self._lock = Lock()

    def job(self, caller: str) -> QueuedRequest:
        return QueuedRequest(
            caller=caller,
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


def threads(**bounds: int) -> OwnThreads:
    return OwnThreads(
        "test", **{"max_inside": 2, "max_waiting": 2, "max_per_caller": 1} | bounds
    )


def test_so_many_are_at_work_and_so_many_wait(work: Work) -> None:
    own = threads()
    assert [own.submit(work.job(f"c{number}")) for number in range(5)] == [
        *(True, True, True, True),
        False,
    ]
    wait_until(lambda: len(work.at_work) == 2)


def test_one_caller_leaves_a_thread_and_a_place_in_line_to_others(work: Work) -> None:
    own = threads()
    assert [own.submit(work.job("greedy")) for _ in range(3)] == [True, True, False]
    assert own.submit(work.job("other"))
    wait_until(lambda: sorted(work.at_work) == ["greedy", "other"])


def test_whoever_waits_is_served_when_a_thread_is_free(work: Work) -> None:
    own = threads(max_inside=1, max_waiting=1)
    assert all(own.submit(work.job(caller)) for caller in "ab")
    wait_until(lambda: work.at_work == ["a"])
    work.may_end.set()
    wait_until(lambda: work.at_work == ["a", "b"])


def test_whoever_waited_too_long_is_refused(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_threads, "MAX_WAIT_S", -1.0)
    assert threads().submit(work.job("late"))
    wait_until(lambda: work.refused == ["late"])


def test_a_job_that_fails_takes_no_thread_along(work: Work) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    own = threads(max_inside=1)
    assert own.submit(QueuedRequest(caller="a", run=fail, refuse=fail))
    wait_until(lambda: own.submit(work.job("b")))
    wait_until(lambda: work.at_work == ["b"])
