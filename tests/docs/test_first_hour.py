"""The commands of the README lead from a file to a map, typed as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.riskplatform.serving.running_up import clean_environment

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"## Your own events\n\n```bash\n(.*?)\ncurl", re.DOTALL)
# The fit takes a minute.
pytestmark = pytest.mark.long


def type_in(line: str, var: Path) -> str:
    """Run a line of the README by a shell, in the folder of the repository."""
    done = subprocess.run(
        ["bash", "-c", line.replace(".venv/bin/python", sys.executable)],
        cwd=ROOT,
        env={**clean_environment(var), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_leads_from_a_file_to_a_map(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = BLOCK.findall(readme)
    lines = block.replace("\\\n", " ").splitlines()
    assert [line.split()[2] for line in lines] == [
        "import_events",
        "fit_model",
        "create_api_key",
    ]
    var = tmp_path / "var"
    type_in(".venv/bin/python manage.py prepare --no-static", var)
    imported, fitted, key = (type_in(line, var) for line in lines)
    assert "3,000 events stored in 'portland'" in imported
    assert "0 rows refused" in imported
    assert "Region portland is public" in imported
    assert "ensemble-1 serves from now on." in fitted
    assert "http://127.0.0.1:8000/?region=portland" in fitted
    assert key.startswith("rp_")
