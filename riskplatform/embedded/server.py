"""What every server and process that runs on this machine has in common."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from riskplatform.embedded.errors import EmbeddedServerError
from riskplatform.embedded.ports import LOOPBACK, free_port, is_free
from riskplatform.embedded.process import ChildProcess, Launch, log_tail, rotate_log
from riskplatform.embedded.reaper import Reaper
from riskplatform.kernel import heartbeat
from riskplatform.private_folder import stored_secret

READY_POLL_S = 0.05
START_ATTEMPTS = 3
# A heartbeat older than this has missed some beats.
STALE_S = 5.0

Pause = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the servers of one owner keep their data, logs and password."""

    var: Path
    reaper: Reaper
    password: str
    durable: bool = True
    # A larger log is rotated.
    max_log_bytes: int = 4 << 20

    @property
    def logs(self) -> Path:
        return self.var / "log"


class Service(ABC):
    """A child process that can be started again and again."""

    name: ClassVar[str]
    start_timeout_s: ClassVar[float] = 30.0
    stop_timeout_s: ClassVar[float] = 10.0
    # After so many unanswered probes in a row it counts as hung.
    most_unanswered: ClassVar[int] = 5

    def __init__(self, site: Site) -> None:
        self.site = site
        self.log = site.logs / f"{self.name}.log"
        self._child: ChildProcess | None = None
        rotate_log(self.log)

    @abstractmethod
    def launch(self) -> Launch:
        """Create what the process needs, and say how to start it."""

    @abstractmethod
    def answers(self) -> bool:
        """Really talk to it, briefly."""

    def responds(self) -> bool:
        """Probe it again once it is up, in a thread; it may not change the service."""
        return self.answers()

    @property
    def address(self) -> str:
        """Where it listens, for people: never holds a password."""
        return ""

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    @property
    def exit_code(self) -> int | None:
        return None if self._child is None else self._child.exit_code

    def is_alive(self) -> bool:
        return self._child is not None and self._child.exit_code is None

    def start(self) -> None:
        """Start the process and return at once."""
        self._clear()
        self._child = ChildProcess(self.launch(), log=self.log, reaper=self.site.reaper)

    def start_and_wait(self, *, pause: Pause = time.sleep) -> None:
        """Bring it up unless it runs already; raise when it dies or takes too long."""
        if not self.is_alive():
            self.start()
        deadline_s = time.monotonic() + self.start_timeout_s
        while not self.answers():
            if not self.is_alive():
                raise self.failure(f"ended with code {self.exit_code}")
            if time.monotonic() > deadline_s:
                raise self.failure("does not answer")
            pause(READY_POLL_S)

    def ask_to_stop(self) -> None:
        if self._child is not None:
            self._child.ask_to_stop()

    def stop(self, *, timeout_s: float | None = None) -> bool:
        """Stop it and all it started; False when it had to be killed."""
        if self._child is None:
            return True
        self._child.ask_to_stop()
        ended = self._child.wait(
            timeout_s=self.stop_timeout_s if timeout_s is None else timeout_s
        )
        self._clear()
        return ended

    def failure(self, what: str) -> EmbeddedServerError:
        return EmbeddedServerError(
            f"{self.name} {what}. The end of {self.log}:\n{log_tail(self.log)}",
            name=self.name,
        )

    def _clear(self) -> None:
        if self._child is not None:
            self._child.kill_group()
            self._child = None


class BeatingService(Service):
    """A service that listens nowhere, and proves by its heartbeat that it works."""

    # Long enough for Django on a busy machine.
    start_timeout_s: ClassVar[float] = 60.0

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.heartbeat = site.var / "run" / f"{self.name}.heartbeat"

    def start(self) -> None:
        # What the process before has written says nothing about this one.
        self.heartbeat.unlink(missing_ok=True)
        super().start()

    def answers(self) -> bool:
        age_s = heartbeat.age_s(self.heartbeat)
        return self.is_alive() and age_s is not None and age_s < STALE_S


class Server(Service):
    """A service that listens on one port, which it keeps through restarts."""

    usual_port: ClassVar[int] = 0

    def __init__(self, site: Site, *, preferred_port: int = 0) -> None:
        super().__init__(site)
        self.preferred_port = preferred_port
        self.port = free_port(preferred_port)

    @property
    @abstractmethod
    def url(self) -> str:
        """The address its clients connect to."""

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def start_and_wait(self, *, pause: Pause = time.sleep) -> None:
        """Bring it up, on another port if this one was taken meanwhile."""
        for attempts_left in reversed(range(START_ATTEMPTS)):
            try:
                super().start_and_wait(pause=pause)
            except EmbeddedServerError:
                self.stop()
                if not attempts_left or is_free(self.port):
                    raise
                self.port = free_port()
            else:
                return


@contextmanager
def owned_site(var: Path, **options: Any) -> Generator[Site]:
    """Give a site whose processes end with the block, or with this process."""
    reaper = Reaper()
    try:
        yield Site(var=var, reaper=reaper, password=stored_password(var), **options)
    finally:
        reaper.close()


def stored_password(var: Path) -> str:
    """Return the password of the servers in this folder, made on first use."""
    return stored_secret(var / "secrets" / "servers", n_bytes=24)
