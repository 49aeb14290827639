"""A filled platform, made once for all tests that ask real web processes."""

from collections.abc import Generator

import pytest

from tests.edge.webs import Platform, filled_platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Generator[Platform]:
    with filled_platform(tmp_path_factory.mktemp("edge")) as filled:
        yield filled
