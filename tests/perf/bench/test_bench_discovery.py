"""Suites are found where apps keep them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import AppConfig, apps

from perf.bench.registry import discover_suites, registry

BENCH = '''
from perf.bench.registry import registry

@registry.suite("outside")
def outside():
    """Of another app."""
    yield from ()
'''


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed app, for the time of the test, with no benchmarks yet."""
    folder = tmp_path / "outside_app"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(apps.app_configs, "outside_app", AppConfig.create(folder.name))
    yield folder
    registry.suites.pop("outside", None)
    for name in ("outside_app", "outside_app.bench"):
        sys.modules.pop(name, None)


def test_an_app_registers_suites_in_its_bench_module(app: Path) -> None:
    (app / "bench.py").write_text(BENCH)
    discover_suites()
    (found,) = registry.choose("outside")
    assert found.description == "Of another app."


def test_a_bench_module_that_cannot_be_imported_is_not_passed_over(app: Path) -> None:
    (app / "bench.py").write_text("import no_such_module\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        discover_suites()
