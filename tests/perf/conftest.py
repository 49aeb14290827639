"""What tests of the performance kit share."""

import gc
from collections.abc import Generator

import pytest

from perf.cache.change_feed import ChangeFeed
from tests.perf.bench.bench_doubles import ManualClock
from tests.support.edge_harness import CountingApp, running_feed, some_name


@pytest.fixture(scope="module", autouse=True)
def _old_objects_are_not_looked_at() -> None:
    """Leave what earlier tests have made out of the collections of benchmarks."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def feed() -> Generator[ChangeFeed]:
    with running_feed() as running:
        yield running


@pytest.fixture(scope="module")
def other_feed() -> Generator[ChangeFeed]:
    with running_feed() as running:
        yield running


@pytest.fixture
def name() -> str:
    """Name a change that no other test publishes."""
    return some_name()


@pytest.fixture
def app(name: str) -> CountingApp:
    """Give an application whose responses depend on `name`."""
    return CountingApp(names=frozenset({name}))
