"""A program for tests: a supervisor over Valkey and a child that ignores SIGTERM."""

import os
import sys
from pathlib import Path
from typing import ClassVar

from riskplatform.embedded.process import Launch
from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Service, Site
from riskplatform.embedded.valkey import ValkeyServer
from riskplatform.serving.probing import EVERY_S
from riskplatform.serving.supervisor import StopRequestedError, Supervisor

STUBBORN_PROGRAM = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
print('ignoring', flush=True)
time.sleep(600)
"""


class Stubborn(Service):
    """Ignores SIGTERM, and has a child of its own."""

    name: ClassVar[str] = "stubborn"
    stop_timeout_s: ClassVar[float] = 1.0

    def launch(self) -> Launch:
        return Launch(argv=[sys.executable, "-c", STUBBORN_PROGRAM])

    def answers(self) -> bool:
        return "ignoring" in self.log.read_text(encoding="utf-8")


class Silent(Stubborn):
    """Never becomes ready and is given a long time to stop."""

    name: ClassVar[str] = "silent"
    stop_timeout_s: ClassVar[float] = 600.0

    def answers(self) -> bool:
        return False


SERVICES: dict[str, type[Service]] = {
    "valkey": ValkeyServer,
    "stubborn": Stubborn,
    "silent": Silent,
}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(var: Path, names: list[str]) -> None:
    reaper = Reaper(grace_s=1.0)
    site = Site(var=var, reaper=reaper, password="test-only")
    every_s = float(os.environ.get("PROBE_EVERY_S", EVERY_S))
    supervisor = Supervisor(site=site, say=say, probe_every_s=every_s)
    with supervisor.signals_handled():
        try:
            supervisor.bring_up([SERVICES[name](site) for name in names])
            say("all up")
            supervisor.watch()
        except StopRequestedError:
            say("interrupted")
        finally:
            supervisor.stop()
    reaper.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
