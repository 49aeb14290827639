"""Commands that write say beforehand what they would do, and leave all as it is."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from riskplatform.api.keys.models import ApiKey, Organisation
from scoring.models import ForecastSkill, ModelVersion, Region
from tests.support.factories import make_organisation, make_region

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def tried(*words: str) -> Any:
    out = StringIO()
    call_command(*words, "--dry-run", "--json", stdout=out, stderr=StringIO())
    report = json.loads(out.getvalue())
    assert report.pop("is_dry_run") is True
    return report


def test_no_key_is_issued() -> None:
    words = ("--organisation", "new", "--create", "--name", "k")
    report = tried("create_api_key", *words, "--scope", "scores:read")
    assert report == {
        "organisation": "new",
        "name": "k",
        "scopes": ["scores:read"],
        "expires_at": None,
    }
    assert not ApiKey.objects.exists()
    assert not Organisation.objects.filter(slug="new").exists()


def test_a_region_keeps_its_owner() -> None:
    make_organisation("acme")
    region = make_region(is_public=False)
    report = tried("set_region_access", region.slug, "--organisation", "acme")
    assert report == {"region": "chicago", "organisation": "acme", "is_public": False}
    assert Region.objects.get().owner is None


def test_nothing_is_fitted() -> None:
    make_region()
    with pytest.raises(CommandError, match="event"):
        tried("fit_model", "--region", "chicago")
    assert not ModelVersion.objects.exists()


@pytest.mark.parametrize(
    ("words", "report"),
    [
        (("prune_inbox",), {"events": 0, "batches": 0}),
        (("ship_events", "--once"), {"waiting": 0}),
        (("score_forecasts",), {"forecasts": 0}),
    ],
)
def test_what_is_due_is_counted(words: tuple[str, ...], report: dict[str, int]) -> None:
    assert tried(*words) == report
    assert not ForecastSkill.objects.exists()


def test_artifacts_are_named_and_not_written(
    published_forecast: Region, tmp_path: Path
) -> None:
    version = str(ModelVersion.objects.get())
    folder = tmp_path / "out"
    words = ("--region", published_forecast.slug)
    assert "files" in tried("export_model", version, str(folder), *words)
    assert not folder.exists()
