import pytest

from perf.deadlines import check_deadline, deadline, remaining_s
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
