"""A pytest plugin: real servers for the run, up before Django reads its settings."""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site, stored_password
from riskplatform.embedded.server_group import SERVER_OF_VARIABLE, ServerGroup


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config,
) -> Generator[None, None, None]:
    # The workers of a parallel run inherit the environment of its controller.
    if "PYTEST_XDIST_WORKER" not in os.environ:
        start_servers(early_config)
    else:
        use_own_redis_database(os.environ["PYTEST_XDIST_WORKER"])
    return (yield)


def use_own_redis_database(worker: str) -> None:
    """Give each worker keys of its own, as it has databases of its own."""
    server, _, _ = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{server}/{int(worker.removeprefix('gw')) + 1}"


def start_servers(config: pytest.Config) -> None:
    """Start what no URL names; whatever happens, nothing of it outlives the run."""
    folder = Path(tempfile.mkdtemp(prefix="riskplatform-tests-"))
    # PostgreSQL runs as another account when the tests run as root.
    folder.chmod(0o711)
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    reaper = Reaper()
    config.add_cleanup(reaper.close)
    reaper.remove_afterwards(folder)
    site = Site(
        var=folder / "var",
        reaper=reaper,
        password=stored_password(folder),
        durable=False,
    )
    site.var.mkdir()
    os.environ["RISKPLATFORM_VAR"] = str(site.var)
    # On a busy machine a server that is well may be slow.
    os.environ["REDIS_TIMEOUT_MS"] = "2000"
    use_servers(config, ServerGroup(site, missing_urls(folder)))


def missing_urls(folder: Path) -> list[str]:
    """Name the variables that need a server, after settling those that do not."""
    if "CLICKHOUSE_URL" in os.environ:
        os.environ["RISKPLATFORM_TEST_REAL_CLICKHOUSE"] = "1"
    if os.environ.get("TEST_DATABASE") == "sqlite":
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'tests.sqlite3'}"
    return [name for name in SERVER_OF_VARIABLE if name not in os.environ]


def use_servers(config: pytest.Config, group: ServerGroup) -> None:
    config.add_cleanup(group.stop)
    group.start()
    os.environ.update(group.urls)
