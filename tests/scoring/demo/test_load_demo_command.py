"""The demo with made-up events in the place of the first region."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from scoring.demo.datasets import Dataset
from scoring.demo.datasets.synthetic import make_synthetic_events
from scoring.errors import DatasetUnavailableError
from scoring.management.commands import load_demo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def unavailable(folder: Path) -> Dataset:
    raise DatasetUnavailableError(f"There is no registry for {folder.name}.")


def made_up(folder: Path) -> Dataset:
    del folder
    return make_synthetic_events()


def test_goes_on_without_the_second_region(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(load_demo, "load_chicago_shootings", made_up)
    monkeypatch.setattr(load_demo, "load_north_atlantic_cyclones", unavailable)
    out, said = StringIO(), StringIO()
    call_command("load_demo", model="poisson_glm", json=True, stdout=out, stderr=said)
    report = json.loads(out.getvalue())
    assert (report["region"], report["further_regions"]) == ("synthetic", [])
    assert "portfolio" not in report
    assert "Left out the North Atlantic: There is no registry" in said.getvalue()
    assert json.loads((tmp_path / "demo.json").read_text()) == report


def test_ends_without_the_first_region(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(load_demo, "load_chicago_shootings", unavailable)
    with pytest.raises(CommandError, match="There is no registry"):
        call_command("load_demo", stdout=StringIO(), stderr=StringIO())
