"""Items are worked on in bounded numbers; each has its own outcome, in order."""

import threading

import pytest

from perf.concurrency import process_batch
from riskplatform.kernel.errors import ConflictError

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_outcomes_come_in_the_order_of_the_items() -> None:
    def halve(number: int) -> int:
        if number % 2:
            raise ConflictError("Odd.")
        return number // 2

    outcomes = process_batch(range(100), halve, max_concurrency=4)
    assert [outcome.value for outcome in outcomes[::2]] == list(range(50))
    assert {outcome.error and outcome.error.code for outcome in outcomes[1::2]} == {
        "conflict"
    }


def test_no_more_than_allowed_are_at_work() -> None:
    lock, at_work, most = threading.Lock(), 0, 0
    meeting = threading.Barrier(3)

    def work(_: int) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        # Three have to be at work for any of them to go on.
        meeting.wait(timeout=10)
        with lock:
            at_work -= 1

    process_batch(range(12), work, max_concurrency=3)
    assert most == 3


def test_nothing_is_begun_after_the_deadline() -> None:
    begun: list[int] = []
    released = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number >= 2:
            released.wait(30)
        return number

    outcomes = process_batch(range(8), work, max_concurrency=2, deadline_s=0.2)
    codes = [outcome.error and outcome.error.code for outcome in outcomes]
    released.set()
    assert [outcome.value for outcome in outcomes[:2]] == [0, 1]
    assert codes[2:] == ["timed_out"] * 6
    assert sorted(begun) == [0, 1, 2, 3]


def test_nothing_is_done_for_no_items() -> None:
    assert process_batch([], lambda item: item, max_concurrency=4) == []
