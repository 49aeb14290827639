"""The back-test command on a small region, from events to files."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from tests.scoring.evaluation.svg_reading import words_of
from tests.support.factories import DAY_S, make_region
from tests.support.random_events import store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("small_region"),
]
MODELS = "poisson_glm,long_run_count"
PLOTS = ["n-test-1d.svg", "pai-1d.svg", "pit-1d.svg", "reliability-1d.svg"]


@pytest.fixture
def small_region(no_events: None, settings: LazySettings, tmp_path: Path) -> None:
    """Give a region with 600 events in 200 days, and a folder of its own."""
    del no_events
    settings.VAR_DIR = tmp_path / "var"
    store_random_events(make_region())


def run(*options: str) -> tuple[dict[str, Any], str]:
    """Run the command for one day and ten origins; its JSON and its stderr."""
    out, err = StringIO(), StringIO()
    words = ["--region", "chicago", "--models", MODELS, "--horizon", "1d"]
    call_command(
        "backtest",
        *words,
        "--origins",
        "10",
        "--json",
        *options,
        stdout=out,
        stderr=err,
    )
    report: dict[str, Any] = json.loads(out.getvalue())["horizons"]["86400"]
    return report, err.getvalue()


def test_a_dump_scored_on_its_own_gives_the_printed_figures(tmp_path: Path) -> None:
    report, _ = run("--dump", str(tmp_path))
    for model in report["models"]:
        with np.load(tmp_path / f"{model['kind']}-1d.npz", allow_pickle=False) as dump:
            arrays = dict(dump)
        area = arrays["area_km2"]
        caught = 0.0
        for mean, observed in zip(arrays["mean"], arrays["observed"], strict=True):
            # The cell on the border of the flagged area counts in part.
            order = np.argsort(-mean / area)
            room = 0.05 * area.sum() - (np.cumsum(area[order]) - area[order])
            part = np.clip(room / area[order], 0.0, 1.0)
            caught += float(part @ observed[order])
        hit_rate = caught / arrays["observed"].sum()
        assert hit_rate == pytest.approx(model["hit_rate"]["0.05"], abs=1e-9)
        missed = arrays["p_event"] - (arrays["observed"] > 0)
        assert np.mean(missed**2) == pytest.approx(model["brier"], abs=1e-12)


def test_a_dump_holds_the_named_arrays_and_no_pickle(tmp_path: Path) -> None:
    run("--dump", str(tmp_path))
    with np.load(tmp_path / "poisson_glm-1d.npz", allow_pickle=False) as dump:
        shapes = {name: dump[name].shape for name in dump.files}
        assert dump["horizon_sec"] == DAY_S
        assert np.all(np.diff(dump["origins"]) == pytest.approx(DAY_S))
    both = dict.fromkeys(["mean", "p_event", "q05", "q50", "q95", "observed"], (10, 37))
    assert shapes == {
        "cells": (37,),
        "area_km2": (37,),
        "origins": (10,),
        "horizon_sec": (),
        **both,
    }


def test_resuming_takes_up_what_was_finished_and_nothing_else(tmp_path: Path) -> None:
    first, _ = run()
    assert first["resumed"] == []
    [folder] = (tmp_path / "var/backtests").iterdir()
    (folder / "long_run_count-86400.table").unlink()
    second, said = run("--resume")
    assert second.pop("resumed") == ["poisson_glm"]
    assert "Taking up poisson_glm for 1d" in said
    assert "Fitting and back-testing long_run_count for 1d" in said
    first.pop("resumed")
    assert second == first


def test_other_events_are_not_scored_with_the_tables_of_the_first(
    tmp_path: Path,
) -> None:
    run()
    store_random_events(make_region(), count=300, seed=2)
    report, _ = run("--resume")
    assert report["resumed"] == []
    assert len(list((tmp_path / "var/backtests").iterdir())) == 2


def test_the_plots_are_well_formed_and_name_their_axes(tmp_path: Path) -> None:
    run("--plot", str(tmp_path / "plots"))
    paths = sorted((tmp_path / "plots").iterdir())
    assert [path.name for path in paths] == PLOTS
    words = [words_of(path.read_text(encoding="utf-8")) for path in paths]
    assert "events in the region per window" in words[0]
    assert "flagged share of the area (%)" in words[1]
    assert "share of cases" in words[2]
    assert "observed frequency" in words[3]


def test_the_report_for_people_names_figures_models_and_intervals() -> None:
    out = StringIO()
    options = {"models": MODELS, "horizon": "1d", "origins": 10}
    call_command("backtest", region="chicago", **options, stdout=out, stderr=StringIO())
    text = out.getvalue()
    for words in (
        "hit rate ↑ at 5 % of area",
        "Brier score ↓",
        "information gain (IGPE)",
    ):
        assert words in text


def test_the_report_says_where_windows_are_too_few_for_an_interval() -> None:
    out = StringIO()
    options = {"models": MODELS, "horizon": "1d", "origins": 5}
    call_command("backtest", region="chicago", **options, stdout=out, stderr=StringIO())
    assert "(too few windows for an interval)" in " ".join(out.getvalue().split())


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--models", "oracle", r"no model 'oracle'. Choose from: .*poisson_glm"),
        ("--horizon", "1d,2y", r"no horizon '2y'. Choose from: .*1d.*7d"),
        ("--origins", "1", r"1 origins says nothing. Use at least 4"),
        ("--origins", "190", r"holds out 190 windows .* ask for fewer origins"),
        ("--region", "atlantis", r"no region 'atlantis'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_choices(
    option: str, value: str, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        run(option, value)
