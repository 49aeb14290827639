"""Two web processes have to give the same answers, before a load and after it."""

from collections.abc import Generator

import pytest

from perf.bench.asking import Ask, compare_answers
from perf.bench.bounds import Bounds
from perf.bench.errors import BenchmarkError
from perf.bench.load import Load
from perf.bench.registry import Suite
from perf.bench.runner import Runner, SuiteRun
from perf.bench.sides import LoadTargets, Sides, compare_load, compare_waiting
from tests.perf.web_doubles import FakeWeb, fake_web

ASK = Ask(path="/a")


@pytest.fixture
def before() -> Generator[FakeWeb]:
    with fake_web() as web:
        yield web


@pytest.fixture
def after() -> Generator[FakeWeb]:
    with fake_web() as web:
        yield web


@pytest.fixture
def sides(before: FakeWeb, after: FakeWeb) -> Sides:
    return Sides(before=before.address, after=after.address, asking_core=None)


def run_load(sides: Sides) -> SuiteRun:
    load = Load(asks=[ASK], connections=2, seconds=1)
    targets = LoadTargets(throughput=1e-9, latency=1e-9)
    suite = Suite(
        name="tiny",
        build=lambda: [compare_load(sides, load, title="tiny", targets=targets)],
    )
    runner = Runner(bounds=Bounds(repeats=1, is_quick=True), say=lambda _line: None)
    return runner.run(suite)


def test_a_kept_answer_that_differs_is_wrong(
    sides: Sides, before: FakeWeb, after: FakeWeb
) -> None:
    after.bodies = [*before.bodies, b'{"old": 1}']
    with pytest.raises(BenchmarkError, match=r"GET /a .* is answered differently"):
        compare_answers(sides.before, sides.after, [ASK])


def test_what_tells_the_time_of_asking_may_differ(
    sides: Sides, before: FakeWeb, after: FakeWeb
) -> None:
    before.bodies, after.bodies = [b'{"until": 1, "n": 3}'], [b'{"until": 2, "n": 3}']
    compare_answers(
        sides.before, sides.after, [Ask(path="/a", tells_now=frozenset({"until"}))]
    )
    with pytest.raises(BenchmarkError):
        compare_answers(sides.before, sides.after, [ASK])


def test_a_refusal_is_no_answer_even_if_both_refuse(sides: Sides) -> None:
    with pytest.raises(BenchmarkError, match=r"/broken is answered with 500: \{\}"):
        compare_answers(sides.before, sides.after, [Ask(path="/broken")])


def test_a_load_gives_throughput_and_percentiles_of_both(sides: Sides) -> None:
    run = run_load(sides)
    assert run.failures == []
    assert [row.name.rpartition(": ")[2] for row in run.rows] == [
        *("throughput", "p50", "p95", "p99")
    ]
    assert [row.unit for row in run.rows] == ["requests/s", "ms", "ms", "ms"]
    assert all(row.before and row.after for row in run.rows)


def test_an_answer_that_turns_wrong_under_load_fails(
    sides: Sides, before: FakeWeb, after: FakeWeb
) -> None:
    after.bodies = [*before.bodies * 3, b'{"stale": true}']
    (failure,) = run_load(sides).failures
    assert failure.startswith("tiny: tiny, 2 connections")
    assert "/a  is answered differently" in failure


def test_refused_requests_under_load_fail(sides: Sides, before: FakeWeb) -> None:
    before.breaks_after = 5
    (failure,) = run_load(sides).failures
    assert "requests under load failed" in failure


def test_waiting_for_answers_is_compared_one_by_one(
    sides: Sides, before: FakeWeb, after: FakeWeb
) -> None:
    comparison = compare_waiting(
        sides,
        name="waiting",
        before=lambda: [ASK, ASK],
        after=lambda: [ASK, ASK],
        target=1.0,
    )
    replies = [ask() for ask in comparison.ways]
    assert comparison.meter.figure(0.0, replies[0]) > 0
    assert comparison.accepts(replies)
    after.bodies = [*before.bodies, b"[]"]
    with pytest.raises(BenchmarkError):
        comparison.accepts([ask() for ask in comparison.ways])
