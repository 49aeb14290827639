"""Running `manage.py up` as a user does, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[3]
OF_THE_TEST_RUN = {
    "CLICKHOUSE_URL",
    "DATABASE_URL",
    "DJANGO_SETTINGS_MODULE",
    "REDIS_URL",
    "RISKPLATFORM_VAR",
}
START_S = 90
STOP_S = 40


class Up:
    """One `manage.py up` and what it says."""

    def __init__(self, var: Path, *options: str, **urls: str) -> None:
        self.var = var
        self.output = var.with_suffix(".out")
        ports = ("--port", "0", "--realtime-port", "0", "--metrics-port", "0")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *ports, *options],
                cwd=CHECKOUT,
                env=clean_environment(var) | urls,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    @property
    def endpoints(self) -> dict[str, Any]:
        path = self.var / "run" / "endpoints.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def wait_up(self) -> None:
        self.wait_says("up after", within_s=START_S)

    def wait_says(self, text: str, *, times: int = 1, within_s: float) -> None:
        wait_until(
            lambda: self.text.count(text) >= times or self.process.poll() is not None,
            within_s=within_s,
            what=f"{text!r} in the output",
        )
        assert self.text.count(text) >= times, self.text

    def child(self, *words: str) -> psutil.Process:
        """Find the one child whose command line holds all the words."""
        [found] = [
            child
            for child in psutil.Process(self.process.pid).children()
            if all(word in " ".join(child.cmdline()) for word in words)
        ]
        return found

    def descendants(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(
            recursive=True
        )
        return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)


@contextmanager
def running_up(var: Path, *options: str, **urls: str) -> Generator[Up]:
    up = Up(var, *options, **urls)
    try:
        up.wait_up()
        yield up
    finally:
        if up.process.poll() is None:
            up.stop()


def clean_environment(var: Path) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in OF_THE_TEST_RUN
    }
    return kept | {"RISKPLATFORM_VAR": str(var)}
