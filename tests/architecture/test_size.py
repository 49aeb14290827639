"""The tripwire: a module of 300 lines or a function of 40 asks to be divided."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("riskplatform", "scoring", "analytics", "perf", "tests")
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {path: len(_text(path).splitlines()) for path in _modules()}
    assert {
        str(path.relative_to(ROOT)): length
        for path, length in lengths.items()
        if length > MAX_MODULE_LINES
    } == {}


def test_no_function_is_longer_than_40_lines() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path in _modules()
        for function in _functions(path)
        if _length(function) > MAX_FUNCTION_LINES
    ] == []


def _modules() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(_text(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of the code; a docstring of shapes and sources is free."""
    first, last = function.body[0], function.end_lineno or function.lineno
    length = last - function.lineno + 1
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
