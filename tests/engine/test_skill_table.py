import gzip
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from scoring.engine.frozen_sets import FROZEN_SETS, load_frozen_set
from scoring.engine.skill_table import SetSkill, as_markdown, findings, measure_set
from scoring.engine.state import DAY_S
from tests.engine.regions import START_S

SET = "san_jacinto"
N_DAYS = 500


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of made-up earthquakes where the real one would lie."""
    root = tmp_path_factory.mktemp("sets")
    place = root / FROZEN_SETS[SET].folder
    place.mkdir()
    rng = np.random.default_rng(1)
    times_s = START_S + np.sort(rng.uniform(0, N_DAYS * DAY_S, 3_000))
    centres = rng.uniform((33.2, -116.8), (33.8, -116.2), (8, 2))
    chosen = rng.choice(8, 3_000, p=np.arange(1, 9) / 36)
    places = centres[chosen] + rng.normal(0, 0.04, (3_000, 2))
    magnitudes = 1.0 + rng.exponential(0.4, 3_000)
    lines = ["time,lat,lon,type,severity"]
    for time_s, (lat, lon), size in zip(times_s, places, magnitudes, strict=True):
        moment = datetime.fromtimestamp(float(time_s), tz=UTC).replace(tzinfo=None)
        lines.append(f"{moment.isoformat()},{lat:.4f},{lon:.4f},earthquake,{size:.2f}")
    with gzip.open(place / "events.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines))
    return root


@cache
def _measured(folder: Path) -> SetSkill:
    return measure_set(folder, SET, horizon_s=7 * DAY_S, kind="poisson_glm")


def test_a_set_is_gridded_from_what_is_before_its_test_block(folder: Path) -> None:
    frozen = load_frozen_set(folder, SET)

    span_s = frozen.history.occurred_s[-1] - frozen.history.occurred_s[0]
    assert frozen.n_origins(7 * DAY_S) == int(0.2 * span_s // (7 * DAY_S))
    assert len(frozen.history) + frozen.history.n_outside == 3_000
    assert frozen.history.weight.max() > 2
    assert len(frozen.digest) == 64


def test_every_target_is_judged(folder: Path) -> None:
    figures = [finding.figure for finding in findings(_measured(folder))]

    assert len(figures) == len(set(figures)) == 13
    assert figures[:2] == [
        "hit rate at 1% over the best baseline",
        "hit rate at 5% over the best baseline",
    ]


def test_the_table_names_every_model_and_the_digest(folder: Path) -> None:
    measured = _measured(folder)

    table = as_markdown([measured])

    assert "## san_jacinto, 7 d" in table
    assert f"sha256 `{measured.digest[:16]}" in table
    for model in measured.report.models:
        assert f"| {model.kind} |" in table


def test_the_report_holds_figures_in_their_range(folder: Path) -> None:
    report = _measured(folder).report

    for model in report.models:
        assert 0 <= model.hit_rate["0.01"] <= model.hit_rate["0.05"] <= 1
        assert 0 < model.efficiency_index["0.05"] <= 1
        assert model.crps > 0
        assert 0.5 < model.coverage.region <= 1
        assert sum(model.reliability.transform) == pytest.approx(1.0)
    consistency = report.models[0].consistency
    assert consistency is not None
    assert 0.5 < consistency.number <= 1
    assert report.models[1].consistency is None
    ratio = report.hit_ratio["linear_hawkes"]["0.05"]
    assert ratio.low <= ratio.value <= ratio.high
