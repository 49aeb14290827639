"""Parts run at once; each has its own failure, and the deadline is one for all."""

import threading

import pytest
from django.db import OperationalError, connection, connections

from riskplatform.kernel.errors import ConflictError
from scoring.services.concurrency import run_together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]


def fail() -> None:
    raise ConflictError("No.")


def lose_database() -> None:
    raise OperationalError


def test_parts_run_at_once() -> None:
    meeting = threading.Barrier(3)
    parts = {name: lambda: meeting.wait(timeout=10) for name in "abc"}
    outcomes = run_together(parts, deadline_s=10)
    assert sorted(outcome.value for outcome in outcomes.values()) == [0, 1, 2]


def test_a_failure_is_that_of_its_part() -> None:
    outcomes = run_together(
        {"good": lambda: 1, "bad": fail, "lost": lose_database}, deadline_s=10
    )
    errors = {name: outcome.error for name, outcome in outcomes.items()}
    assert outcomes["good"].value == 1
    assert errors["good"] is None
    assert errors["bad"] is not None
    assert errors["bad"].message == "No."
    assert errors["lost"] is not None
    assert errors["lost"].code == "unavailable"


def test_what_is_late_does_not_delay_the_others() -> None:
    released = threading.Event()
    try:
        outcomes = run_together(
            {"late": lambda: released.wait(30), "good": lambda: 1}, deadline_s=0.2
        )
    finally:
        released.set()
    assert outcomes["good"].value == 1
    assert outcomes["late"].error is not None
    assert outcomes["late"].error.code == "timed_out"


def test_a_part_gives_its_connections_back() -> None:
    used: list[object] = []

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        used.append(connections["default"].connection)

    run_together({"ask": ask}, deadline_s=10)
    assert getattr(used[0], "closed", True)
