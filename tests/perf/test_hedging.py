"""A slow read is sent twice, within a budget; the first answer is used."""

import threading
from collections.abc import Callable, Generator

import pytest

from perf.deadlines import deadline
from perf.hedging import ENOUGH, FIRST_DELAY_S, Hedge, HedgeBudget, Latencies
from riskplatform.kernel.errors import ConflictError, DeadlineError, UnavailableError

pytestmark = pytest.mark.django_db(transaction=True)


class LostError(UnavailableError):
    """No replica."""


@pytest.fixture
def released() -> Generator[threading.Event]:
    """Hold reads until the end of the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def slow(released: threading.Event) -> Callable[[], str]:
    return lambda: f"slow{released.wait(30)}"


def lost() -> str:
    raise LostError("Nobody there.")


def broken() -> str:
    raise ConflictError("No.")


def never() -> str:
    raise AssertionError("nobody should have asked")


def test_a_quick_answer_is_not_asked_for_twice() -> None:
    assert Hedge(lost=LostError).read("q", [lambda: "quick", never]) == "quick"


def test_the_second_answers_when_the_first_is_slow(slow: Callable[[], str]) -> None:
    assert Hedge(lost=LostError).read("q", [slow, lambda: "second"]) == "second"


def test_the_second_answers_when_the_first_is_lost() -> None:
    hedge = Hedge(lost=LostError)
    answers = {hedge.read("q", [lost, lambda: "second"]) for _ in range(50)}
    assert answers == {"second"}


def test_the_first_is_waited_for_when_the_second_is_lost() -> None:
    second_is_lost = threading.Event()

    def first() -> str:
        assert second_is_lost.wait(10)
        return "first"

    def second() -> str:
        second_is_lost.set()
        return lost()

    assert Hedge(lost=LostError).read("q", [first, second]) == "first"


def test_when_all_are_lost_it_is_the_first_that_says_so() -> None:
    with pytest.raises(LostError, match="Nobody there"):
        Hedge(lost=LostError).read("q", [lost, lost])


def test_an_error_of_the_query_is_nobody_elses_business() -> None:
    with pytest.raises(ConflictError):
        Hedge(lost=LostError).read("q", [broken, never])


def test_when_the_time_is_up_nobody_is_waited_for(slow: Callable[[], str]) -> None:
    with pytest.raises(DeadlineError), deadline(0.2):
        Hedge(lost=LostError).read("q", [slow, slow])


def test_of_many_slow_reads_few_are_asked_twice() -> None:
    budget = HedgeBudget()
    spent = 0
    for _ in range(1_000):
        budget.save()
        spent += budget.spend()
    assert 50 <= spent <= 51


def test_after_a_calm_some_may_be_asked_twice_at_once() -> None:
    budget = HedgeBudget()
    for _ in range(10_000):
        budget.save()
    assert [budget.spend() for _ in range(7)] == [True] * 5 + [False] * 2


def test_the_delay_is_what_most_reads_take() -> None:
    latencies = Latencies()
    assert latencies.delay_s() == FIRST_DELAY_S
    for number in range(ENOUGH):
        latencies.note(number / 1_000)
    assert latencies.delay_s() == 0.019
    for _ in range(500):
        latencies.note(0.5)
    assert latencies.delay_s() == 0.5
