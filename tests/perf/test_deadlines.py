from collections import deque
from collections.abc import Iterator

import pytest

from perf.deadlines import (
    check_deadline,
    deadline,
    keeping_deadline,
    remaining_s,
    watched,
)
from riskplatform.kernel.errors import DeadlineError


def test_without_a_deadline_nothing_is_said() -> None:
    check_deadline()
    assert remaining_s() is None


def test_of_nested_deadlines_the_earliest_counts() -> None:
    with deadline(10), deadline(100):
        outer_left_s = remaining_s()
        with deadline(1):
            inner_left_s = remaining_s()
    assert outer_left_s is not None
    assert inner_left_s is not None
    assert inner_left_s <= 1 < outer_left_s <= 10
    assert remaining_s() is None


def test_no_deadline_of_its_own_keeps_the_one_around_it() -> None:
    with deadline(10), deadline(None):
        left_s = remaining_s()
    assert left_s is not None
    assert left_s <= 10


def test_when_the_time_is_up_the_work_stops() -> None:
    with deadline(0), pytest.raises(DeadlineError, match="time for this request is up"):
        check_deadline()


def test_a_loop_stops_between_items_when_the_time_is_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left_s = iter([1.0, 1.0, 0.0])
    monkeypatch.setattr("perf.deadlines.remaining_s", lambda: next(left_s))
    seen: list[int] = []
    with pytest.raises(DeadlineError):
        deque(map(seen.append, watched(range(100), every=10)), maxlen=0)
    assert seen == list(range(20))


def test_without_a_deadline_a_loop_goes_on() -> None:
    assert list(watched(range(100), every=10)) == list(range(100))


def test_a_stream_takes_the_deadline_along() -> None:
    def pieces() -> Iterator[float | None]:
        while True:
            yield remaining_s()

    with deadline(10):
        stream = keeping_deadline(pieces())
    left_s = next(stream)
    assert left_s is not None
    assert left_s <= 10
    assert remaining_s() is None


def test_a_stream_whose_time_is_up_breaks_off() -> None:
    with deadline(0):
        stream = keeping_deadline(range(3))
    with pytest.raises(DeadlineError):
        next(stream)
    assert list(keeping_deadline(range(3))) == [0, 1, 2]
