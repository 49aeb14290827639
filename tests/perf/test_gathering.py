"""Parts run at once; each has its own failure, and the deadline is one for all."""

import threading
from collections.abc import Callable, Generator
from contextvars import ContextVar

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection, connections

from perf.concurrency import gather_bounded
from perf.deadlines import deadline, remaining_s
from perf.switches import Switch
from riskplatform.kernel.errors import ConflictError

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]

name_of_caller: ContextVar[str] = ContextVar("name_of_caller", default="nobody")


def fail() -> None:
    raise ConflictError("No.")


def lose_database() -> None:
    raise OperationalError


def ask() -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return connections["default"].connection


@pytest.fixture
def kept_connections() -> Generator[None]:
    """Let threads keep their connections, as those of the product do."""
    connections.settings["default"]["CONN_MAX_AGE"] = None
    yield
    connections.settings["default"]["CONN_MAX_AGE"] = 0
    meeting = threading.Barrier(16)

    def close() -> None:
        meeting.wait(timeout=10)
        connections.close_all()

    gather_bounded({str(number): close for number in range(16)}, deadline_s=10)


def test_parts_run_at_once() -> None:
    meeting = threading.Barrier(3)
    parts = {name: lambda: meeting.wait(timeout=10) for name in "abc"}
    outcomes = gather_bounded(parts, deadline_s=10)
    assert sorted(outcome.value or 0 for outcome in outcomes.values()) == [0, 1, 2]


def test_a_failure_is_that_of_its_part() -> None:
    outcomes = gather_bounded(
        {"good": lambda: 1, "bad": fail, "lost": lose_database}, deadline_s=10
    )
    errors = {
        name: outcome.error and outcome.error.code for name, outcome in outcomes.items()
    }
    assert outcomes["good"].value == 1
    assert errors == {"good": None, "bad": "conflict", "lost": "unavailable"}


def test_what_is_late_does_not_delay_the_others() -> None:
    released = threading.Event()
    try:
        outcomes = gather_bounded(
            {"late": lambda: released.wait(30), "good": lambda: True}, deadline_s=0.2
        )
    finally:
        released.set()
    assert outcomes["good"].value is True
    assert outcomes["late"].error is not None
    assert outcomes["late"].error.code == "timed_out"


def test_what_nobody_foresaw_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        gather_bounded({"good": lambda: 1, "bad": lambda: 1 / 0}, deadline_s=10)


def test_parts_inherit_the_context_and_the_earlier_deadline() -> None:
    token = name_of_caller.set("somebody")
    with deadline(5):
        parts: dict[str, Callable[[], object]] = {
            "name": name_of_caller.get,
            "left": remaining_s,
        }
        outcomes = gather_bounded(parts, deadline_s=100)
    name_of_caller.reset(token)
    assert outcomes["name"].value == "somebody"
    assert isinstance(outcomes["left"].value, float)
    assert 0 < outcomes["left"].value <= 5


@pytest.mark.usefixtures("kept_connections")
def test_a_thread_keeps_its_connection_for_the_next_part() -> None:
    parts = {str(number): ask for number in range(40)}
    used = {
        id(outcome.value)
        for _ in range(3)
        for outcome in gather_bounded(parts, deadline_s=10, max_workers=2).values()
    }
    assert 1 <= len(used) <= 16


def test_a_thread_gives_back_a_connection_that_may_not_live() -> None:
    used = gather_bounded({"ask": ask}, deadline_s=10)["ask"].value
    assert getattr(used, "closed", True)


def test_switched_off_the_parts_run_one_after_the_other(
    settings: LazySettings,
) -> None:
    settings.PERFORMANCE_OFF = frozenset({Switch.PARALLEL})
    parts = dict.fromkeys("abc", threading.get_ident)
    outcomes = gather_bounded(parts, deadline_s=10)
    assert {outcome.value for outcome in outcomes.values()} == {threading.get_ident()}


def test_parts_of_a_part_do_not_wait_for_a_thread() -> None:
    inner = {name: lambda: 1 for name in "abc"}

    def outer() -> int:
        return sum(
            part.value or 0 for part in gather_bounded(inner, deadline_s=10).values()
        )

    outcomes = gather_bounded(
        {str(number): outer for number in range(32)}, deadline_s=10
    )
    assert [outcome.value for outcome in outcomes.values()] == [3] * 32
