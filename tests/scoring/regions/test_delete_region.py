"""A region goes with everything that hangs on it, and with nothing else."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from analytics.ingest.removal import count_events
from analytics.models import EventSource, ImportRun
from scoring.models import Cell, Forecast, Portfolio, Region
from tests.support.factories import make_asset, make_portfolio, make_region

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
ROWS = "time,y,x,id\n2023-05-01T10:00:00Z,41.85,-87.68,a\n"


def bring(path: Path, region: str) -> None:
    path.write_text(ROWS, encoding="utf-8")
    words = ("--region", region, "--create", "--source", "s", "--map")
    column_map = "occurred_at=time,lat=y,lon=x,external_id=id"
    call_command("import_events", str(path), *words, column_map, stdout=StringIO())


def delete(*words: str) -> str:
    out = StringIO()
    call_command("delete_region", *words, stdout=out)
    return out.getvalue()


def stored(region: str) -> int:
    return sum(count_events(region).values())


def test_a_rehearsal_counts_and_deletes_nothing(tmp_path: Path) -> None:
    bring(tmp_path / "e.csv", "here")

    report = json.loads(delete("here", "--dry-run", "--json"))

    assert report["counts"]["events"] == 1
    assert report["counts"]["cells"] == Cell.objects.count() > 1
    assert Region.objects.filter(slug="here").exists()
    assert stored("here") == 1


def test_events_cells_and_runs_go_and_those_of_others_stay(tmp_path: Path) -> None:
    bring(tmp_path / "e.csv", "here")
    bring(tmp_path / "e.csv", "there")

    assert delete("here", "--yes").startswith("Region here is deleted, with 1 events, ")

    assert list(Region.objects.values_list("slug", flat=True)) == ["there"]
    assert (stored("here"), stored("there")) == (0, 1)
    assert set(ImportRun.objects.values_list("region", flat=True)) == {"there"}
    assert EventSource.objects.get().file_regions == ["there"]
    bring(tmp_path / "e.csv", "here")
    assert stored("here") == 1


def test_forecasts_go_and_portfolios_stay(published_forecast: Region) -> None:
    make_portfolio()

    delete(published_forecast.slug, "--yes")

    assert not Forecast.objects.exists()
    assert Portfolio.objects.count() == 1
    assert stored(published_forecast.slug) == 0


def test_assets_of_the_region_are_outside_from_then_on() -> None:
    region = make_region()
    portfolio = make_portfolio()
    make_asset(portfolio)
    portfolio.refresh_from_db()
    before = portfolio.revision

    delete(region.slug, "--yes")

    portfolio.refresh_from_db()
    assert (portfolio.asset_count, portfolio.outside_count) == (1, 1)
    assert portfolio.revision > before


def test_nobody_to_ask_means_no() -> None:
    make_region()

    with pytest.raises(CommandError, match=r"cannot be undone.*--yes"):
        delete("chicago")

    assert Region.objects.exists()


def test_an_owner_deletes_by_the_api(admin: Client, tmp_path: Path) -> None:
    bring(tmp_path / "e.csv", "here")

    assert admin.delete("/api/v1/regions/here").status_code == 204

    assert stored("here") == 0
    assert admin.get("/api/v1/regions/here").status_code == 404
    assert admin.delete("/api/v1/regions/here").json()["code"] == "region_not_found"


def test_an_unknown_region_is_named() -> None:
    with pytest.raises(CommandError, match="nowhere"):
        delete("nowhere", "--yes")
