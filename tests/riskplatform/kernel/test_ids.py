import time
import uuid
from typing import Any

import pytest

from riskplatform.kernel import ids as module
from riskplatform.kernel.ids import MAX_CLOCK_STEP_BACK_MS, uuid7

NOW_S = 1_800_000_000


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget identifiers made before, perhaps by a test that moved the clock."""
    monkeypatch.setattr(module, "_last", 0)


def test_is_a_version_7_uuid_of_the_rfc_variant() -> None:
    made = [uuid7() for _ in range(1_000)]
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {uuid.RFC_4122}
    assert len(set(made)) == 1_000


def test_begins_with_the_time_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    milliseconds = uuid7().int >> 80
    assert before <= milliseconds <= time.time_ns() // 1_000_000


def test_ids_of_one_process_ascend_within_a_millisecond() -> None:
    ids = [uuid7() for _ in range(10_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(made.version, made.variant) for made in ids} == {(7, uuid.RFC_4122)}


def test_ids_ascend_when_the_clock_is_set_back_a_little(time_machine: Any) -> None:
    time_machine.move_to(NOW_S, tick=False)
    earlier = [uuid7() for _ in range(100)]
    time_machine.move_to(NOW_S - MAX_CLOCK_STEP_BACK_MS / 1_000, tick=False)
    made = [*earlier, *(uuid7() for _ in range(100))]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_follow_a_clock_that_was_far_ahead_and_was_set_right(
    time_machine: Any,
) -> None:
    time_machine.move_to(NOW_S + 86_400, tick=False)
    uuid7()
    time_machine.move_to(NOW_S, tick=False)
    made = [uuid7() for _ in range(100)]
    assert {one.int >> 80 for one in made} == {NOW_S * 1_000}
    assert made == sorted(made)
