"""An event that comes by file and by POST is one event, whichever comes first."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from analytics.models import Event
from analytics.shipping.shipper import ship_due
from riskplatform.api.keys.models import Organisation
from riskplatform.api.keys.services import issue_key
from scoring.models import Region
from tests.support.factories import make_region

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"], transaction=True),
    pytest.mark.usefixtures("no_events"),
]
MAP = "occurred_at=call_time,lat=latitude,lon=longitude,external_id=call_id"
ROWS = (
    ("a", "2026-11-01T08:00:00Z", 41.87812345678, -87.6298),
    ("b", "2026-11-01T09:00:00Z", 41.8801, -87.631),
)
Send = Callable[..., dict[str, Any]]


@pytest.fixture
def region() -> Region:
    return make_region()


@pytest.fixture
def send(acme: Organisation) -> Send:
    key = issue_key(acme, name="feed", scopes=["events:write"]).text.text

    def post(**changes: Any) -> dict[str, Any]:
        names = ("external_id", "occurred_at", "lat", "lon")
        events = [dict(zip(names, row, strict=True)) | changes for row in ROWS]
        response = Client().post(
            "/api/v1/events?source=police&region=chicago",
            data=orjson.dumps(events),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        answer: dict[str, Any] = orjson.loads(response.content)
        return answer

    return post


@pytest.fixture
def bring(tmp_path: Path, region: Region) -> Send:
    def run(*options: str) -> dict[str, Any]:
        path = tmp_path / "calls.csv"
        lines = ["call_id,call_time,latitude,longitude"]
        lines += [",".join(map(str, row)) for row in ROWS]
        path.write_text("\n".join(lines), encoding="utf-8")
        out = StringIO()
        words = ("--region", region.slug, "--source", "police", "--map", MAP, "--json")
        call_command("import_events", str(path), *words, *options, stdout=out)
        report: dict[str, Any] = orjson.loads(out.getvalue())
        return report

    return run


def stored() -> list[tuple[str, str, float | None]]:
    found = Event.objects.merged().order_by("external_id")
    return list(found.values_list("source", "external_id", "severity"))


@pytest.mark.parametrize("options", [("--organisation", "acme"), ()])
def test_what_a_file_brought_is_repeated_by_a_post(
    bring: Send, send: Send, options: tuple[str, ...]
) -> None:
    assert bring(*options)["accepted"] == 2

    answer = send()

    assert (answer["accepted"], answer["duplicates"]) == (0, 2)
    ship_due()
    assert len(stored()) == 2


def test_what_a_post_brought_is_repeated_by_a_file(bring: Send, send: Send) -> None:
    send()
    ship_due()

    report = bring("--organisation", "acme")

    assert (report["accepted"], report["duplicates"]) == (0, 2)
    assert [source for source, *_ in stored()] == ["acme/police"] * 2


def test_a_post_corrects_and_retracts_what_a_file_of_its_own_brought(
    bring: Send, send: Send
) -> None:
    bring("--organisation", "acme")

    assert send(severity=4.0)["accepted"] == 2
    ship_due()
    assert [severity for *_, severity in stored()] == [4.0, 4.0]
    assert send(retracted=True)["accepted"] == 2
    ship_due()
    assert stored() == []


def test_a_correction_by_post_withdraws_the_row_of_the_file(
    bring: Send, send: Send
) -> None:
    bring("--organisation", "acme")

    send(lat=41.9, occurred_at="2025-06-01T00:00:00Z")
    ship_due()

    assert len(stored()) == 2


def test_nobody_corrects_what_a_file_of_the_installation_brought(
    bring: Send, send: Send
) -> None:
    bring()

    answer = send(severity=4.0)
    retracted = send(retracted=True)

    assert [it["code"] for it in answer["rejected"]] == ["installation_event"] * 2
    assert [it["code"] for it in retracted["rejected"]] == ["installation_event"] * 2
    ship_due()
    assert [severity for *_, severity in stored()] == [None, None]


def test_a_file_says_whose_it_is_where_another_sends_the_same(
    bring: Send, send: Send
) -> None:
    send()

    with pytest.raises(CommandError, match="say --organisation acme"):
        bring()
    bring("--organisation", "acme")
    with pytest.raises(CommandError, match="say --organisation acme"):
        bring()


def test_a_corrected_row_of_a_file_is_counted_and_taken_when_asked(
    bring: Send, send: Send
) -> None:
    send(severity=4.0)
    ship_due()

    first = bring("--organisation", "acme")
    taken = bring("--organisation", "acme", "--update")

    assert (first["accepted"], first["changed"], first["duplicates"]) == (0, 2, 0)
    assert (taken["accepted"], taken["corrected"], taken["changed"]) == (2, 2, 0)
    assert [severity for *_, severity in stored()] == [None, None]
