"""What tests of the performance kit share."""

import pytest

from tests.perf.bench_doubles import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
