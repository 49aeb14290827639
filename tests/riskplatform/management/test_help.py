"""`manage.py COMMAND --help` answers, with no server there and nothing set up."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.test_commands import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
ASK_ALL = """
import contextlib, io, json, sys, traceback
from manage import main

answers = {}
for name in sys.argv[1:]:
    said = io.StringIO()
    sys.argv = ["manage.py", name, "--help"]
    with contextlib.redirect_stdout(said):
        try:
            main()
            code = "main returned"
        except SystemExit as end:
            code = end.code
        except Exception:
            code = traceback.format_exc()
    answers[name] = [code, said.getvalue()]
print(json.dumps(answers))
"""


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in an empty folder that knows no server."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "RISKPLATFORM_VAR": str(folder / "var"),
    }
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[object, str]]:
    """Exit code or traceback of each command, and what it printed."""
    done = run("-c", ASK_ALL, *COMMANDS, folder=tmp_path_factory.mktemp("clean"))
    assert done.returncode == 0, done.stderr
    found: dict[str, tuple[object, str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself(
    answers: dict[str, tuple[object, str]], name: str
) -> None:
    code, said = answers[name]
    assert code == 0
    assert said.startswith(f"usage: manage.py {name} ")


def test_help_ends_a_process_without_an_error(tmp_path: Path) -> None:
    done = run(str(ROOT / "manage.py"), "benchmark", "--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "over 10% worse than in this report" in " ".join(done.stdout.split())


def test_a_reader_that_has_seen_enough_ends_a_command_in_silence(
    tmp_path: Path,
) -> None:
    """As `manage.py doctor | head -1` does."""
    env = {"PATH": os.environ["PATH"], "RISKPLATFORM_VAR": str(tmp_path / "var")}
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, str(ROOT / "manage.py"), "doctor"]
    with os.fdopen(write, "wb") as output:
        done = subprocess.run(
            words,
            env=env,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, "")
