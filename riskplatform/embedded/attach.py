"""Give every command its servers: given, already running, or for its duration."""

import os
import sys
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from riskplatform.embedded.errors import AlreadyRunningError, EmbeddedServerError
from riskplatform.embedded.ownership import (
    FolderOwnership,
    living_owner,
    published_endpoints,
    using_servers,
    waiting_for_users,
)
from riskplatform.embedded.server import owned_site
from riskplatform.embedded.server_group import SERVER_OF_VARIABLE, ServerGroup
from riskplatform.env import env_secret, env_str

CHECKOUT = Path(__file__).resolve().parents[2]
SELF_SUFFICIENT = frozenset(
    {
        *("check", "check_slo", "collectstatic", "compilemessages", "diffsettings"),
        *("document_commands", "doctor", "export_monitoring", "findstatic", "help"),
        *("makemessages", "makemigrations", "skill", "spectacular", "startapp"),
        *("up", "version"),
    }
)
HELP_OPTIONS = frozenset({"-h", "--help", "--version"})
OWNER_START_TIMEOUT_S = 120.0
POLL_S = 0.1


def attach(argv: Sequence[str]) -> AbstractContextManager[object]:
    """Return a context in which the servers that a command line needs are there."""
    missing = missing_variables()
    if not missing or len(argv) < 2:
        return nullcontext()
    if needs_servers(argv):
        return embedded_servers(var_folder(), needs=missing, command=" ".join(argv[:2]))
    if argv[1] == "doctor":
        return _environment(found_urls(published_endpoints(var_folder()) or {}))
    return nullcontext()


def asks_for_help(argv: Sequence[str]) -> bool:
    return (
        len(argv) < 2
        or argv[1] in {"help", "version"}
        or bool(HELP_OPTIONS.intersection(argv))
    )


def needs_servers(argv: Sequence[str]) -> bool:
    if asks_for_help(argv):
        return False
    if env_str("RISKPLATFORM_PROFILE", "embedded") != "embedded":
        return False
    return argv[1] not in SELF_SUFFICIENT


def missing_variables(*, postgres: bool | None = None) -> list[str]:
    """Name the servers that no variable points to; SQLite needs none."""
    if postgres is None:
        postgres = env_str("RISKPLATFORM_DATABASE", "sqlite") == "postgres"
    wanted = ["REDIS_URL", "CLICKHOUSE_URL", *(["DATABASE_URL"] if postgres else [])]
    return [name for name in wanted if env_secret(name) is None]


def var_folder() -> Path:
    return Path(env_str("RISKPLATFORM_VAR", str(CHECKOUT / "var"))).resolve()


@contextmanager
def embedded_servers(
    var: Path,
    *,
    needs: Iterable[str] = ("REDIS_URL", "CLICKHOUSE_URL"),
    command: str = "a command",
) -> Generator[Mapping[str, str]]:
    """Use the servers running on a data folder, or run them inside the block.

    The variables named in `needs` are set in the environment inside the block.
    """
    needed = list(needs)
    ownership = FolderOwnership(var)
    try:
        ownership.claim(command)
    except AlreadyRunningError:
        servers = _borrowed_servers(var, needed)
    else:
        names = ", ".join(needed)
        sys.stderr.write(f"Starting embedded servers for {command}: {names}.\n")
        servers = _own_servers(var, needed, ownership)
    with servers as urls, _environment(urls):
        yield urls


@contextmanager
def _borrowed_servers(var: Path, needed: list[str]) -> Generator[Mapping[str, str]]:
    with using_servers(var):
        yield _wait_for_endpoints(var, needed)


@contextmanager
def _own_servers(
    var: Path, needed: list[str], ownership: FolderOwnership
) -> Generator[Mapping[str, str]]:
    try:
        with owned_site(var) as site, ServerGroup(site, needed) as group:
            ownership.publish(group.urls)
            yield group.urls
            with waiting_for_users(var):
                ownership.release()
    finally:
        ownership.release()


def _wait_for_endpoints(var: Path, needed: list[str]) -> dict[str, str]:
    """Read the addresses, waiting for an owner that has only just started."""
    deadline_s = time.monotonic() + OWNER_START_TIMEOUT_S
    while (found := published_endpoints(var)) is None:
        owner = living_owner(var)
        if owner is None or time.monotonic() > deadline_s:
            raise EmbeddedServerError(
                f"The servers on {var} did not come up. Look into {var / 'log'}.",
                owner=owner,
            )
        time.sleep(POLL_S)
    unknown = [name for name in needed if name not in found]
    if unknown:
        raise EmbeddedServerError(
            f"The process {found['pid']} runs servers on {var}, but offers no "
            f"{', '.join(unknown)}. Stop it, or set these variables.",
            missing=unknown,
        )
    return found_urls(found)


def found_urls(endpoints: Mapping[str, str]) -> dict[str, str]:
    """Pick what an owner published and the environment does not name itself."""
    return {
        name: endpoints[name]
        for name in SERVER_OF_VARIABLE
        if name in endpoints and env_secret(name) is None
    }


@contextmanager
def _environment(urls: Mapping[str, str]) -> Generator[None]:
    os.environ.update(urls)
    try:
        yield
    finally:
        for name in urls:
            os.environ.pop(name, None)
