"""Sockets in the process of the tests, on what it has committed."""

from collections.abc import AsyncGenerator

import pytest

from perf.realtime.runtime import _runtimes, current_runtime
from tests.support.communicating import Sockets


@pytest.fixture
async def sockets(transactional_db: None) -> AsyncGenerator[Sockets]:
    opened = Sockets()
    yield opened
    await opened.close()
    runtime = current_runtime()
    await runtime.stop()
    _runtimes.clear()
    assert runtime.seats.taken == 0
