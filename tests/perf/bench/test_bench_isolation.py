"""What keeps one side of a measurement from disturbing the other."""

import gc
import os

import pytest

from tests.perf.bench.bench_doubles import ManualClock, make_budget


@pytest.mark.parametrize("collects_garbage", [True, False])
def test_the_garbage_collector_runs_inside_a_call_only_when_asked(
    clock: ManualClock, collects_garbage: bool
) -> None:
    seen: list[bool] = []
    clock.run(
        make_budget(
            clock,
            after=lambda: seen.append(gc.isenabled()),
            check=finished,
            collects_garbage=collects_garbage,
            repeats=1,
        )
    )
    assert seen == [collects_garbage] * 2
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off(clock: ManualClock) -> None:
    gc.disable()
    try:
        clock.run(make_budget(clock, repeats=1))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_pinned_measurement_has_one_core_and_gives_the_others_back(
    clock: ManualClock,
) -> None:
    allowed = os.sched_getaffinity(0)
    seen: list[set[int]] = []
    clock.run(
        make_budget(
            clock,
            after=lambda: seen.append(os.sched_getaffinity(0)),
            check=finished,
            single_core=True,
            repeats=1,
        )
    )
    assert seen == [{max(allowed)}] * 2
    assert os.sched_getaffinity(0) == allowed


def test_a_system_that_cannot_pin_says_so(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_setaffinity")
    run = clock.run(make_budget(clock, single_core=True, repeats=1))
    assert clock.said[-1] == "  this system cannot pin to one core; all are used"
    assert [row.name for row in run.rows] == ["work"]


def finished(answer: None) -> bool:
    return answer is None
