"""A pytest plugin: how the tests of a parallel run are shared out to its workers.

A worker takes whole files, as with `--dist loadfile`, and all files at once of the
folders whose tests share a filled platform, so that it is filled once and not by each.
Slow files come first: one that begins last would leave the other workers idle.
"""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

SHARING = (
    *("tests/attacks/", "tests/perf/cache/edge/"),
    "tests/perf/monitoring/test_real_prometheus.py",
)


class FilesAndPlatform(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(SHARING):
            return "platform"
        path: str = super()._split_scope(nodeid)
        return path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Any
) -> LoadFileScheduling | None:
    if config.getoption("dist") != "loadfile":
        return None
    # In the order of the items, not by the number of tests in a file.
    config.option.loadscopereorder = False
    return FilesAndPlatform(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(
            key=lambda item: (
                not item.nodeid.startswith(SHARING),
                item.path not in slow,
            )
        )
