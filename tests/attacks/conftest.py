"""A filled platform, and one web process of it with the limits of the product."""

from collections.abc import Generator

import pytest

from tests.edge.conftest import platform
from tests.edge.webs import Platform, Web

__all__ = ["platform"]


@pytest.fixture(scope="session")
def web(platform: Platform) -> Generator[Web]:
    platform.manage("collectstatic", "--noinput", "--verbosity", "0")
    with platform.webs(
        1, RATE_LIMITS="", WEB_BODY_GRACE_S="1", WEB_BODY_BYTES_PER_S="65536"
    ) as (started,):
        started.wait_live()
        yield started
