"""A web process loads what serves, not what fits or reports."""

import subprocess
import sys

SERVING = (
    "artifacts",
    "aggregates",
    "backtesting",
    "fitting",
    "forecasters",
    "scenarios",
)
HEAVY = ("lightgbm", "scipy.stats", "pandas", "django")


def test_serving_imports_nothing_heavy() -> None:
    imports = "; ".join(f"import scoring.engine.{name}" for name in SERVING)
    report = f"import sys; {imports}; print([n for n in {HEAVY} if n in sys.modules])"

    answer = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"
