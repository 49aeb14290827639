"""The kit's own first suite gives right answers on both webs."""

import pytest

from perf.bench.registry import Suite
from perf.bench.run_limits import RunLimits
from perf.bench.runner import Runner
from perf.bench.suites.rendering import rendering, same_json


def test_both_renderers_say_the_same() -> None:
    runner = Runner(limits=RunLimits(repeats=1), say=lambda _line: None)
    run = runner.run(Suite(name="rendering", build=rendering))
    assert run.failures == []
    assert [row.name for row in run.rows] == ["20,000 rows", "100 rows"]


@pytest.mark.parametrize(
    ("after", "is_same"),
    [
        (b'{"b":[1,2],"a":1.5}', True),
        (b'{"a":1.5,"b":[2,1]}', False),
        (b'{"a":1.5}', False),
    ],
)
def test_json_is_compared_by_what_it_says(after: bytes, is_same: bool) -> None:
    assert same_json(b'{ "a": 1.5, "b": [1, 2] }', after) is is_same
