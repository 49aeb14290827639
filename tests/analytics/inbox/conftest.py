"""Every test here posts to one region, with a backlog of its own."""

import pytest


@pytest.fixture(autouse=True)
def _one_region_and_fresh_backlog(one_region: None, fresh_backlog: None) -> None:
    pass
