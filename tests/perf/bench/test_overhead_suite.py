"""The layers around a view are measured, and none of them changes what it answers."""

import pytest

from perf.bench.registry import Suite
from perf.bench.runner import Runner
from perf.bench.suites.overhead import overhead

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_layer_gives_the_same_answer() -> None:
    runner = Runner(say=lambda _line: None, repeats=1, is_quick=True)
    run = runner.run(Suite(name="overhead", build=overhead))
    assert run.failures == []
    assert [row.name for row in run.rows] == [
        "a function of Django's, no middleware",
        "an endpoint, no middleware",
        "an endpoint, called directly",
        "an endpoint, all middleware",
        "the same for a browser",
    ]
