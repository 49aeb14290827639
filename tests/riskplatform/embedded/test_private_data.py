"""What the platform keeps in its folder is for its own account alone."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from riskplatform.embedded.process import ChildProcess, Launch
from riskplatform.embedded.reaper import Reaper
from riskplatform.private_folder import private_folder

CHECKOUT = Path(__file__).parents[3]
SERVERS = ("CLICKHOUSE_URL", "REDIS_URL", "DATABASE_URL")
ALL_HELP = """
import runpy, sys
from contextlib import suppress
from django.core.management import get_commands
sys.argv = ["manage.py", "help"]
manage = runpy.run_path("{manage}")
with suppress(SystemExit):
    manage["main"]()
names = sorted(get_commands())
for name in names:
    sys.argv = ["manage.py", name, "--help"]
    # What it says is another test's.
    with suppress(SystemExit, Exception):
        manage["main"]()
print(len(names), "commands asked")
"""


def run(var: Path, *argv: str, umask: int = 0o022) -> str:
    """Run Python in an empty folder with the data folder `var` and no server given."""
    environment = {k: v for k, v in os.environ.items() if k not in SERVERS}
    environment |= {"RISKPLATFORM_VAR": str(var), "PYTHONPATH": str(CHECKOUT)}
    empty = var.parent / "empty"
    empty.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, *argv],
        env=environment,
        cwd=empty,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(empty.iterdir()) == []
    return done.stdout


def open_to_others(folder: Path) -> list[str]:
    found = [folder, *folder.rglob("*")]
    return [str(it) for it in found if stat.S_IMODE(it.lstat().st_mode) & 0o077]


def test_a_command_that_makes_the_folder_makes_it_private(tmp_path: Path) -> None:
    var = tmp_path / "var"
    made = "from django.db import connection; connection.ensure_connection()"
    run(var, str(CHECKOUT / "manage.py"), "shell", "--no-imports", "-c", made)
    names = {it.name for it in var.iterdir()}
    assert {"clickhouse", "log", "riskplatform.sqlite3", "secret-key"} <= names
    links = [it for it in open_to_others(var) if not Path(it).is_symlink()]
    assert links == []


def test_a_folder_that_others_could_read_is_taken_away_from_them(
    tmp_path: Path,
) -> None:
    var = tmp_path / "var"
    (var / "run").mkdir(parents=True)
    (var / "riskplatform.sqlite3").touch()
    for path in (var, *var.iterdir()):
        path.chmod(0o777)
    run(var, str(CHECKOUT / "manage.py"), "check")
    assert open_to_others(var) == []


def test_the_account_of_postgresql_may_pass_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres").chmod(0o711)
    tmp_path.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    private_folder(tmp_path)
    expected = 0o701 if tmp_path.stat().st_uid == 0 else 0o755
    assert stat.S_IMODE(tmp_path.stat().st_mode) == expected
    assert stat.S_IMODE((tmp_path / "postgres").stat().st_mode) == 0o711


def test_children_make_private_files(tmp_path: Path) -> None:
    reaper = Reaper()
    made = tmp_path / "made"
    launch = Launch(argv=[sys.executable, "-c", f"open({str(made)!r}, 'w')"])
    child = ChildProcess(launch, log=tmp_path / "log", reaper=reaper)
    assert child.wait(timeout_s=30)
    child.kill_group()
    reaper.close()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_asking_for_help_makes_no_file(tmp_path: Path) -> None:
    var = tmp_path / "var"
    said = run(var, "-c", ALL_HELP.format(manage=CHECKOUT / "manage.py"))
    assert int(said.splitlines()[-1].split()[0]) > 40
    assert not var.exists()
    run(var, str(CHECKOUT / "manage.py"), "up", "--help")
    assert not var.exists()
