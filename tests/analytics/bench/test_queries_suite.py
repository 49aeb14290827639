"""The benchmark of questions gives equal answers, and leaves nothing behind."""

import pytest

from analytics.bench.queries import measure_queries
from analytics.store.clickhouse import fetch_rows
from perf.bench.registry import Suite
from perf.bench.run_limits import RunLimits
from perf.bench.runner import Runner

pytestmark = pytest.mark.django_db(databases=["clickhouse"])


def test_both_forms_give_the_same_answers() -> None:
    runner = Runner(limits=RunLimits(repeats=1), say=lambda _line: None)

    run = runner.run(
        Suite(
            name="queries",
            build=lambda: measure_queries(event_count=20_000, p95_calls=2),
        )
    )

    assert run.failures == []
    assert len(run.rows) == 27
    assert (
        fetch_rows(
            "test",
            "SELECT name FROM system.databases WHERE startsWith(name, 'benchmark_')",
        )
        == []
    )
