"""A command on a database without tables ends with the command that makes them."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT

RUN_ALL = """
import contextlib, io, json, sys
from manage import main

ends = []
for words in json.loads(sys.argv[1]):
    said = io.StringIO()
    sys.argv = ["manage.py", *words]
    with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        main()
    ends.append(said.getvalue().splitlines()[-1])
print(json.dumps(ends))
"""
COMMANDS = [
    *(["delete_region", "x"], ["set_region_access", "x"], ["score_forecasts"]),
    *(["ship_events", "--once"], ["run_worker", "--once"], ["prune_inbox"]),
    ["import_events", "x.csv", "--region", "x", "--map=occurred_at=t,lat=y,lon=x"],
]


def test_a_command_says_what_to_run_first(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", RUN_ALL, json.dumps(COMMANDS)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"},
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )

    ends = json.loads(made.stdout.splitlines()[-1])
    assert len(ends) == len(COMMANDS)
    assert {end for end in ends if "run manage.py prepare." not in end} == set()
