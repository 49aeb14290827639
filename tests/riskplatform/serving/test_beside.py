"""A command beside the services: its lines are said, and it ends with them."""

import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from riskplatform.embedded.process import Launch
from riskplatform.embedded.server import owned_site
from riskplatform.serving.beside import BesideCommand
from tests.support.processes import is_running
from tests.support.waiting import wait_until

Start = Callable[[str], BesideCommand]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def start(tmp_path: Path, said: list[str]) -> Generator[Start]:
    with owned_site(tmp_path) as site:

        def begin(program: str) -> BesideCommand:
            launch = Launch(argv=[sys.executable, "-uc", program])
            return BesideCommand("load", launch, site=site, say=said.append)

        yield begin


def look_until(command: BesideCommand, said: list[str], words: str) -> None:
    def is_said() -> bool:
        command.look()
        return any(words in line for line in said)

    wait_until(is_said, within_s=20, what=words)


def test_lines_are_said_once_and_whole(start: Start, said: list[str]) -> None:
    command = start("print('one'); print('two', end=''); print(' halves')")
    look_until(command, said, "done after")
    command.look()
    assert said[:-1] == ["load        one", "load        two halves"]


def test_a_failure_names_the_log(start: Start, said: list[str], tmp_path: Path) -> None:
    command = start("import sys; sys.exit('no such data')")
    look_until(command, said, "failed with code 1")
    assert said[0] == "load        no such data"
    assert str(tmp_path / "log" / "load.log") in said[-1]


def test_it_is_stopped_with_the_others(start: Start, said: list[str]) -> None:
    command = start("import os, time; print(os.getpid()); time.sleep(600)")
    look_until(command, said, "load")
    pid = int(said[0].split()[-1])
    command.stop()
    assert not is_running(pid)
    # Nothing is said of what nobody waits for.
    command.look()
    assert len(said) == 1
