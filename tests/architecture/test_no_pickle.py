"""Reading a pickle runs what is in it, so the product neither reads nor writes any."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("riskplatform", "scoring", "analytics", "perf")
RUNNING = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "joblib"}


def test_no_module_of_the_product_knows_pickle() -> None:
    assert [
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in _modules()
        for name in _imported(tree)
        if name.partition(".")[0] in RUNNING
    ] == []


def test_no_array_is_read_or_written_with_pickle() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword)
        and node.arg == "allow_pickle"
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ] == []


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
