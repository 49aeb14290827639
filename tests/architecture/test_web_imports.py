"""What a web process loads at start decides how fast it comes back."""

import subprocess
import sys

HEAVY = ("lightgbm", "scipy.stats", "pandas", "chdb", "sklearn", "pyarrow")
PROGRAM = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "riskplatform.settings"
import riskplatform.wsgi
from django.urls import get_resolver
get_resolver().url_patterns
print(",".join(sorted(sys.modules)))
"""


def test_a_web_process_does_not_load_the_heavy_libraries() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    loaded = set(done.stdout.strip().split(","))
    assert "scoring.urls" in loaded
    assert loaded.isdisjoint(HEAVY)
