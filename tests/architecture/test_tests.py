"""Tests are found by one guess: their names are unique, and helpers are no tests."""

import re
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FILES = sorted(TESTS.rglob("*.py"))


def test_no_two_test_files_have_one_name() -> None:
    counts = Counter(path.name for path in FILES if path.name.startswith("test_"))
    assert [name for name, count in counts.items() if count > 1] == []


def test_nothing_imports_a_conftest() -> None:
    imports = re.compile(r"^\s*(from|import) [\w.]*\bconftest\b", re.MULTILINE)
    assert [str(path) for path in FILES if imports.search(path.read_text())] == []
