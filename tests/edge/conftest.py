"""A filled platform, made once for all tests that ask real web processes."""

from collections.abc import Generator
from pathlib import Path

import pytest

from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site
from riskplatform.embedded.valkey import ValkeyServer
from tests.edge.webs import Platform, filled_platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Generator[Platform]:
    with filled_platform(tmp_path_factory.mktemp("edge")) as filled:
        yield filled


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
