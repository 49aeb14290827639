"""A command that runs beside the services, and says its lines as they come."""

import time
from collections.abc import Callable
from pathlib import Path

from riskplatform.embedded.process import ChildProcess, Launch, rotate_log
from riskplatform.embedded.server import Site

STOP_S = 10.0


class BesideCommand:
    """Runs to its end once; its output goes to a log, and line by line to `say`."""

    def __init__(
        self, name: str, launch: Launch, *, site: Site, say: Callable[[str], None]
    ) -> None:
        self.name = name
        self._say = say
        self._log: Path = site.logs / f"{name}.log"
        rotate_log(self._log)
        self._begun_s = time.monotonic()
        self._read_bytes = 0
        self._child: ChildProcess | None = ChildProcess(
            launch, log=self._log, reaper=site.reaper
        )

    def look(self) -> None:
        """Say what came since the last look, and once how it ended."""
        if self._child is None:
            return
        code = self._child.exit_code
        self._say_lines(is_ended=code is not None)
        if code is None:
            return
        took_s = time.monotonic() - self._begun_s
        outcome = f"failed with code {code} (log: {self._log})" if code else "done"
        self._say(f"{self.name:<11} {outcome} after {took_s:.0f} s")
        self._child.kill_group()
        self._child = None

    def stop(self) -> None:
        if self._child is not None:
            self._child.ask_to_stop()
            self._child.wait(timeout_s=STOP_S)
            self._child.kill_group()
            self._child = None

    def _say_lines(self, *, is_ended: bool) -> None:
        with self._log.open("rb") as file:
            file.seek(self._read_bytes)
            fresh = file.read()
        # A line that is not at its end yet is said with the rest of it.
        whole = fresh if is_ended else fresh[: fresh.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            self._say(f"{self.name:<11} {line}" if line.strip() else "")
