"""The walks of docs/architecture.md name files that exist, and stay short."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()
FILES = re.findall(r"`([a-z_]+/[\w/]+\.py)`", PAGE)
STEP = re.compile(r"^\d+\. `", re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(FILES)))
def test_a_file_it_names_exists(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize(
    ("walk", "most"), [("From the POST to ClickHouse", 12), ("`POST /assess/", 20)]
)
def test_a_walk_is_short(walk: str, most: int) -> None:
    _, _, rest = PAGE.partition(walk)
    steps, _, _ = rest[rest.index("\n1. ") :].partition("\n\n")
    assert 0 < len(STEP.findall(steps)) <= most
