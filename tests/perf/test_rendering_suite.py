"""The kit's own first suite gives right answers on both sides."""

from perf.bench.bounds import Bounds
from perf.bench.registry import Suite
from perf.bench.runner import Runner
from perf.bench.suites.rendering import rendering


def test_both_renderers_say_the_same() -> None:
    runner = Runner(bounds=Bounds(repeats=1), say=lambda _line: None)
    run = runner.run(Suite(name="rendering", build=rendering))
    assert run.failures == []
    assert [row.name for row in run.rows] == ["20,000 rows", "100 rows"]
