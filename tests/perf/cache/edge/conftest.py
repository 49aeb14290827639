"""Two web processes that tests share, and a Redis of a test's own."""

from collections.abc import Generator
from pathlib import Path

import pytest

from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site
from riskplatform.embedded.valkey import ValkeyServer
from tests.support.webs import Platform, Web


@pytest.fixture(scope="session")
def two_webs(platform: Platform) -> Generator[list[Web]]:
    """Start them once: each costs seconds, and tests ask for what is their own."""
    with platform.webs(2) as webs:
        for web in webs:
            web.wait_live()
        yield webs


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
