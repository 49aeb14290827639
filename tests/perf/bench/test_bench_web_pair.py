"""Two web processes have to give the same answers, before a load and after it."""

from collections.abc import Generator

import pytest

from perf.bench.client import WebRequest, compare_answers
from perf.bench.errors import BenchmarkError
from perf.bench.load import Load
from perf.bench.registry import Suite
from perf.bench.run_limits import RunLimits
from perf.bench.runner import Runner, SuiteRun
from perf.bench.web_pair import LoadTargets, WebPair, compare_latency, compare_load
from tests.perf.bench.web_doubles import FakeWeb, fake_web

REQUEST = WebRequest(path="/a")


@pytest.fixture
def before() -> Generator[FakeWeb]:
    with fake_web() as web:
        yield web


@pytest.fixture
def after() -> Generator[FakeWeb]:
    with fake_web() as web:
        yield web


@pytest.fixture
def webs(before: FakeWeb, after: FakeWeb) -> WebPair:
    return WebPair(before=before.address, after=after.address, load_core=None)


def run_load(webs: WebPair) -> SuiteRun:
    load = Load(requests=[REQUEST], connections=2, seconds=1)
    targets = LoadTargets(throughput=1e-9, latency=1e-9)
    suite = Suite(
        name="tiny",
        build=lambda: [compare_load(webs, load, title="tiny", targets=targets)],
    )
    runner = Runner(limits=RunLimits(repeats=1, is_quick=True), say=lambda _line: None)
    return runner.run(suite)


def test_a_kept_answer_that_differs_is_wrong(
    webs: WebPair, before: FakeWeb, after: FakeWeb
) -> None:
    after.bodies = [*before.bodies, b'{"old": 1}']
    with pytest.raises(BenchmarkError, match=r"GET /a .* is answered differently"):
        compare_answers(webs.before, webs.after, [REQUEST])


def test_what_tells_the_time_of_asking_may_differ(
    webs: WebPair, before: FakeWeb, after: FakeWeb
) -> None:
    before.bodies, after.bodies = [b'{"until": 1, "n": 3}'], [b'{"until": 2, "n": 3}']
    compare_answers(
        webs.before, webs.after, [WebRequest(path="/a", tells_now=frozenset({"until"}))]
    )
    with pytest.raises(BenchmarkError, match="answered differently"):
        compare_answers(webs.before, webs.after, [REQUEST])


def test_a_refusal_is_no_answer_even_if_both_refuse(webs: WebPair) -> None:
    with pytest.raises(BenchmarkError, match=r"/broken is answered with 500: \{\}"):
        compare_answers(webs.before, webs.after, [WebRequest(path="/broken")])


def test_a_load_gives_throughput_and_percentiles_of_both(webs: WebPair) -> None:
    run = run_load(webs)
    assert run.failures == []
    assert [row.name.rpartition(": ")[2] for row in run.rows] == [
        *("throughput", "p50", "p95", "p99")
    ]
    assert [row.unit for row in run.rows] == ["requests/s", "ms", "ms", "ms"]
    assert all(row.before and row.after for row in run.rows)


def test_an_answer_that_turns_wrong_under_load_fails(
    webs: WebPair, before: FakeWeb, after: FakeWeb
) -> None:
    after.bodies = [*before.bodies * 3, b'{"stale": true}']
    (failure,) = run_load(webs).failures
    assert failure.startswith("tiny: tiny, 2 connections")
    assert "/a  is answered differently" in failure


def test_refused_requests_under_load_fail(webs: WebPair, before: FakeWeb) -> None:
    before.breaks_after = 5
    (failure,) = run_load(webs).failures
    assert "requests under load failed" in failure


def test_waiting_for_answers_is_compared_one_by_one(
    webs: WebPair, before: FakeWeb, after: FakeWeb
) -> None:
    comparison = compare_latency(
        webs,
        name="waiting",
        before=lambda: [REQUEST, REQUEST],
        after=lambda: [REQUEST, REQUEST],
        target=1.0,
    )
    responses = [measured() for measured in comparison.ways]
    assert comparison.meter.figure(0.0, responses[0]) > 0
    assert comparison.accepts(responses)
    after.bodies = [*before.bodies, b"[]"]
    with pytest.raises(BenchmarkError, match="answered differently"):
        comparison.accepts([measured() for measured in comparison.ways])
