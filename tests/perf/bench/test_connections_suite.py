"""The suites of connections get the same answers in every way they measure."""

import pytest

from analytics.bench.connections import clickhouse_connections
from perf.bench.registry import Suite
from perf.bench.run_limits import RunLimits
from perf.bench.runner import Runner
from perf.bench.suites.connections import connections
from tests.support.postgresql_aliases import URL

pytestmark = [pytest.mark.slow, pytest.mark.django_db(databases="__all__")]
RUNNER = Runner(limits=RunLimits(repeats=1), say=lambda _line: None)


def test_connections_answer_alike_however_they_are_kept() -> None:
    run = RUNNER.run(Suite(name="connections", build=connections))

    assert run.failures == []
    assert len(run.rows) == (1 if URL.startswith("sqlite") else 5)


def test_clickhouse_answers_alike_over_a_pool() -> None:
    run = RUNNER.run(Suite(name="clickhouse", build=clickhouse_connections))

    assert run.failures == []
    assert len(run.rows) == 1
