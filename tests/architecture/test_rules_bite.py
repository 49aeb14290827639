"""A rule that nothing can break is no rule: each is broken once, and must say so."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PACKAGES = ("riskplatform", "scoring", "analytics", "perf")


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("print('hello')\n", "T201"),
        ("from datetime import datetime\n\nmoment = datetime.now()\n", "DTZ005"),
        ("def f() -> None:\n    import json\n\n    json.dumps(1)\n", "PLC0415"),
        ("try:\n    pass\nexcept Exception:\n    pass\n", "BLE001"),
        ("from . import models\n", "TID252"),
    ],
)
def test_the_linter_refuses(code: str, rule: str) -> None:
    done = subprocess.run(
        [BIN / "ruff", "check", "--stdin-filename", "scoring/planted.py", "-"],
        cwd=ROOT,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert rule in done.stdout


@pytest.mark.parametrize(
    ("module", "code", "complaint"),
    [
        (
            "scoring/models/planted.py",
            "from scoring.services import regions\n",
            "scoring.models.planted -> scoring.services.regions",
        ),
        (
            "analytics/store/clickhouse.py",
            "from scoring import models\n",
            "analytics.store.clickhouse -> scoring.models",
        ),
        (
            "scoring/engine/planted.py",
            "import django\n",
            "scoring.engine.planted -> django",
        ),
        ("scoring/utils.py", "", "- scoring.utils"),
    ],
)
def test_the_import_contracts_refuse(
    module: str, code: str, complaint: str, tmp_path: Path
) -> None:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("static")
        )
    shutil.copy(ROOT / ".importlinter", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as planted:
        planted.write(code)
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert complaint in done.stdout
