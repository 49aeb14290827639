"""A region, files of events written for it, and a client that posts events to it."""

import gzip
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import cast

import orjson
import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client

from analytics import placement
from analytics.inbox.backlog import forget_backlog
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.importer import ImportPlan, import_file
from analytics.ingest.report import ImportReport
from analytics.models import Event
from analytics.shipping.shipper import ShippingReport, ship_due
from riskplatform.api.keys.models import Organisation
from riskplatform.api.keys.services import issue_key
from tests.support.chicago import CHICAGO, HEADER, NOW, ImportRows, WriteCsv
from tests.support.event_payloads import Json
from tests.support.one_region import OneRegion, Post


@pytest.fixture
def plan() -> ImportPlan:
    return ImportPlan(
        column_map=ColumnMap.parse(
            "occurred_at=time,lat=lat,lon=lon,event_type=kind,severity=severity,"
            "external_id=id"
        ),
        grid=CHICAGO,
        source="police",
    )


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    def write(*rows: str, header: str = HEADER, name: str = "events.csv") -> Path:
        path = tmp_path / name
        content = "".join(f"{row}\n" for row in (header, *rows)).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@pytest.fixture
def import_rows(write_csv: WriteCsv, plan: ImportPlan) -> ImportRows:
    def run(*rows: str) -> ImportReport:
        return import_file(write_csv(*rows), plan=plan, now=NOW)

    return run


@pytest.fixture
def empty_event_table() -> Generator[None]:
    _truncate_events()
    yield
    _truncate_events()


@pytest.fixture
def empty_store(db: None) -> Generator[None]:
    _truncate_events()
    assert not Event.objects.exists()
    yield
    _truncate_events()
    assert not Event.objects.exists()


@pytest.fixture
def one_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the directory know Chicago and nothing else."""
    monkeypatch.setattr(placement, "_registered", [OneRegion()])


@pytest.fixture
def fresh_backlog() -> Generator[None]:
    forget_backlog()
    yield
    forget_backlog()


@pytest.fixture
def acme(db: None) -> Organisation:
    return Organisation.objects.create(slug="acme", name="Acme")


@pytest.fixture
def key(acme: Organisation) -> str:
    issued = issue_key(acme, name="feed", scopes=["events:write"])
    return issued.text.text


@pytest.fixture
def post(key: str) -> Post:
    def send(
        body: bytes | Sequence[Json],
        *,
        query: str = "",
        content_type: str = "application/json",
        **headers: str,
    ) -> HttpResponse:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        response = Client().post(
            f"/api/v1/events{query}",
            data=content,
            content_type=content_type,
            headers={"Authorization": f"Bearer {key}", **headers},
        )
        return cast("HttpResponse", response)

    return send


@pytest.fixture
def ship() -> Callable[[], ShippingReport]:
    return ship_due


def _truncate_events() -> None:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("TRUNCATE TABLE analytics_event")
