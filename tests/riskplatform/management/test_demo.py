"""The documented way from nothing to a forecast, run as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# The generalised linear model fits in a moment; the served one has its own tests.
COMMAND = [
    *(sys.executable, "manage.py", "demo"),
    *("--synthetic", "--model", "poisson_glm", "--json"),
]
SERVER_URLS = ("DATABASE_URL", "REDIS_URL", "CLICKHOUSE_URL")


@pytest.mark.slow
def test_the_demo_runs_from_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in SERVER_URLS}
    environment |= {"RISKPLATFORM_VAR": str(tmp_path), "TZ": "Asia/Kathmandu"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    reports = []
    for _ in range(2):
        done = subprocess.run(
            COMMAND,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        reports.append(json.loads(done.stdout))
    first, second = reports
    assert first["events"] == second["events"] > 3_000
    assert len(first["top_cells"]) == 10
    assert [cell["cell_id"] for cell in first["top_cells"]] == [
        cell["cell_id"] for cell in second["top_cells"]
    ]
    # ClickHouse adds in the order in which its threads come.
    assert [cell["p_event"] for cell in first["top_cells"]] == pytest.approx(
        [cell["p_event"] for cell in second["top_cells"]], rel=1e-9
    )
    assert json.loads((tmp_path / "demo.json").read_text()) == second
    gain = first["backtest"]["86400"]
    assert gain["hit_rate_5"] > 0.1
    assert {"events", "rejected", "cells", "fit_seconds", "forecast_seconds"} <= set(
        first
    )
