"""`manage.py quickstart FILE`: from a file to a map, in one command."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from analytics.models import Event
from riskplatform.api.keys.access import FULL_ACCESS
from scoring.models import Region
from scoring.selectors.regions import get_region

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events", "fits_are_shared"),
]
START = datetime(2023, 1, 1, tzinfo=UTC)
COUNT = 500


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    hours = np.sort(rng.uniform(0, 200 * 24, COUNT))
    places = np.array([41.85, -87.68]) + rng.normal(0, 0.01, (COUNT, 2))
    lines = [
        f"{START + timedelta(hours=hour):%m/%d/%Y %I:%M %p},{lat:.5f},{lon:.5f}"
        for hour, (lat, lon) in zip(hours.tolist(), places.tolist(), strict=True)
    ]
    path = tmp_path / "city calls.csv"
    path.write_text("\n".join(["When,Y,X", *lines]), encoding="utf-8")
    return path


def run(file: Path, *words: str) -> tuple[str, str]:
    out, said = StringIO(), StringIO()
    options = ("--map", "occurred_at=When,lat=Y,lon=X", "--model", "poisson_glm")
    call_command("quickstart", str(file), *options, *words, stdout=out, stderr=said)
    return out.getvalue(), said.getvalue()


def test_a_file_becomes_a_map(file: Path) -> None:
    out, said = run(file, "--yes", "--timezone", "America/Chicago", "--public")
    assert "When | Y | X" in said
    assert "--source city-calls --time-format '%m/%d/%Y %I:%M %p'" in said
    assert f"{COUNT} events in city-calls, 2 forecasts" in out
    assert "http://127.0.0.1:8000/?region=city-calls" in out
    region = Region.objects.get()
    assert (region.timezone, region.is_public) == ("America/Chicago", True)
    # Again, nothing comes twice.
    again = json.loads(run(file, "--yes", "--json")[0])
    assert again["accepted"] == 0
    assert Event.objects.filter(region="city-calls").count() == COUNT


def test_the_region_has_the_resolution_that_was_proposed(file: Path) -> None:
    said = run(file, "--dry-run")[1]
    proposed = int(said.split("Proposed: --resolution ")[1].split()[0])
    run(file, "--yes")
    assert get_region("city-calls", access=FULL_ACCESS).resolution == proposed


def test_a_dry_run_stores_nothing(file: Path) -> None:
    assert f"{COUNT} events would be stored" in run(file, "--dry-run")[1]
    assert not Region.objects.exists()
    assert not Event.objects.filter(region="city-calls").exists()


def test_nobody_is_asked_where_nobody_is_there(file: Path) -> None:
    with pytest.raises(CommandError, match="Repeat it with --yes"):
        run(file)
    assert not Region.objects.exists()


def test_a_file_of_nothing_but_faults_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("When,Y,X\nnever,1,2\n", encoding="utf-8")
    with pytest.raises(CommandError, match="Every row would be refused"):
        run(path, "--yes")
