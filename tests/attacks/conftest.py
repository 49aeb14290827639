"""Web processes to attack: of a full database, and of a small one with all limits."""

from collections.abc import Callable, Generator
from contextlib import ExitStack

import pytest

from tests.attacks.measuring import Idle
from tests.support.webs import Platform, Web, filled_platform

DAY = {"region": "large", "horizon_sec": 86_400}


def score(web: Web, platform: Platform) -> None:
    cells = [{"cell_id": cell} for cell in platform.seeds["cells"][:20]]
    body = {**DAY, "time": "2024-06-01T00:00:00Z", "cells": cells}
    assert web.ask("POST", "score-snapshot", body).status == 200


def assess(web: Web, platform: Platform) -> None:
    path = f"assess/{platform.seeds['portfolios'][-1]}"
    reply = web.ask("POST", path, DAY, key=platform.seeds["key"])
    assert reply.status == 200


def read_arrow(web: Web, _: Platform) -> None:
    path = "risk-map?region=large&min_p=0.9&format=arrow"
    assert web.ask("GET", path).status == 200


# A process at rest has served before, and has loaded and keeps what it may keep.
ORDINARY = (score, assess, read_arrow)


@pytest.fixture(scope="session")
def full_platform(tmp_path_factory: pytest.TempPathFactory) -> Generator[Platform]:
    folder = tmp_path_factory.mktemp("attacks")
    with filled_platform(folder, seeding="tests.attacks.large_seeding") as filled:
        yield filled


@pytest.fixture(scope="session")
def web_of_area(full_platform: Platform) -> Generator[Callable[[str], Idle]]:
    """Give the process of an area; what others have left in memory is not its own."""
    running: dict[str, Idle] = {}
    with ExitStack() as stack:

        def find(area: str) -> Idle:
            if area not in running:
                stack.close()
                running.clear()
                (web,) = stack.enter_context(full_platform.webs())
                web.wait_live()
                for ask in ORDINARY:
                    ask(web, full_platform)
                running[area] = Idle.of(web)
            return running[area]

        yield find


@pytest.fixture(scope="session")
def web(platform: Platform) -> Generator[Web]:
    """Give a process of the small database, with the limits of the product."""
    platform.manage("collectstatic", "--noinput", "--verbosity", "0")
    with platform.webs(
        1, RATE_LIMITS="", WEB_BODY_GRACE_S="1", WEB_BODY_BYTES_PER_S="65536"
    ) as (started,):
        started.wait_live()
        yield started
