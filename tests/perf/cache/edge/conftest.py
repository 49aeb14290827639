"""A Redis of a test's own."""

from collections.abc import Generator
from pathlib import Path

import pytest

from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site
from riskplatform.embedded.valkey import ValkeyServer


@pytest.fixture
def valkey(tmp_path: Path) -> Generator[ValkeyServer]:
    """Start a Redis that no other test and no other process uses."""
    reaper = Reaper()
    server = ValkeyServer(Site(var=tmp_path, reaper=reaper, password="of-the-test"))
    try:
        server.start_and_wait()
        yield server
    finally:
        server.stop()
        reaper.close()
