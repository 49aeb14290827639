"""What the platform writes it reads back as equal events."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.test import Client

from analytics.models import Event
from scoring.models import Region
from tests.support.factories import make_region

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
FIELDS = (
    *("external_id", "occurred_at", "lat", "lon", "event_type", "severity"),
    *("amount", "attributes"),
)
EVENTS: list[dict[str, Any]] = [
    {
        "id": "=1+1",
        "t": "1950-01-01T00:00:00.123Z",
        "y": 41.8512345,
        "x": -87.6,
        "kind": "-",
        "mag": -1.5,
        "loss": 0.1,
        "note": {"a": 'say "so", é', "b": "=x", "n": "1.0", "line": "x\ny"},
    },
    {"id": "b 2", "t": "2023-05-01T10:00:00Z", "y": 41.9, "x": -87.65},
    {"id": "00012", "t": "2023-05-01T10:00:00Z", "y": 41.9, "x": -87.65, "kind": "NA"},
]
MAP = (
    "occurred_at=t,lat=y,lon=x,external_id=id,event_type=kind,severity=mag,"
    "amount=loss,attributes=note"
)


def bring(path: Path, *words: str) -> dict[str, Any]:
    out = StringIO()
    call_command("import_events", str(path), "--json", *words, stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def stored(region: str) -> list[Any]:
    found = Event.objects.merged().filter(region=region).order_by("external_id")
    return list(found.values_list(*FIELDS))


@pytest.fixture
def region(tmp_path: Path) -> Region:
    path = tmp_path / "first.ndjson"
    path.write_bytes(b"\n".join(map(orjson.dumps, EVENTS)))
    made = make_region()
    words = ("--region", made.slug, "--source", "first", "--map", MAP)
    assert bring(path, *words)["accepted"] == len(EVENTS)
    return made


@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson"])
def test_an_export_comes_back_as_equal_events(
    admin: Client, region: Region, tmp_path: Path, kind: str
) -> None:
    window = f"region={region.slug}&from=1940-01-01T00:00:00Z"
    if kind == "ndjson":
        page = admin.get(f"/api/v1/events?{window}").json()
        content = b"\n".join(map(orjson.dumps, page["results"]))
    else:
        if kind == "parquet":
            pytest.importorskip("pyarrow")
        answer = admin.get(f"/api/v1/events/export?{window}&format={kind}")
        content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    path = tmp_path / f"export.{kind}"
    path.write_bytes(content)

    words = ("--region", "copy", "--create", "--preset", "riskplatform")
    report = bring(path, *words)

    assert (report["accepted"], report["rejected_count"]) == (len(EVENTS), 0)
    assert report["emptied_count"] == 0
    assert stored("copy") == stored(region.slug)
    assert stored("copy")[2][-1] or stored("copy")[1][-1] or stored("copy")[0][-1]
