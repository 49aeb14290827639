"""Files of assets over the API: all of it comes in, or nothing."""

import gzip
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.test import Client

from riskplatform.api.keys.models import Organisation
from scoring.api import asset_imports as api
from scoring.api.asset_imports import AssetImportReceipt
from scoring.models import Asset, Portfolio
from scoring.services.portfolios import asset_import
from tests.support.factories import (
    make_asset,
    make_portfolio,
    make_region,
    make_vulnerability,
)

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

PLAIN = """id,lat,lon,value,currency,name,deductible,limit,vulnerability
a,41.85,-87.68,1000.5,USD,"Shop, main",10,500,brick
b,0,0,99.999,,,,,
"""


@pytest.fixture
def portfolio(acme: Organisation) -> Portfolio:
    make_region()
    return make_portfolio(acme)


@pytest.fixture
def address(portfolio: Portfolio) -> str:
    return f"/api/v1/portfolios/{portfolio.pk}/assets/import"


def send(client: Client, address: str, body: str | bytes, **headers: str) -> Any:
    content = body.encode() if isinstance(body, str) else body
    return client.post(address, content, "text/csv", headers=headers)


@pytest.mark.parametrize("packed", [False, True])
def test_imports_a_file_of_our_own_columns(
    packed: bool, client: Client, address: str, portfolio: Portfolio
) -> None:
    make_vulnerability(portfolio.organisation)
    body = gzip.compress(PLAIN.encode()) if packed else PLAIN.encode()
    headers = {"Content-Encoding": "gzip"} if packed else {}
    response = send(client, address, body, **headers)
    assert response.status_code == 201
    done = msgspec.json.decode(response.content, type=AssetImportReceipt)
    assert (done.format, done.rows, done.created, done.replaced) == ("minimal", 2, 2, 0)
    assert (done.outside.count, done.outside.value) == (1, Decimal("100.00"))
    assert (done.portfolio.revision, done.portfolio.asset_count) == (2, 2)
    assert done.portfolio.total_value == Decimal("1100.50")
    first, second = Asset.objects.order_by("reference")
    assert (first.name, first.value, first.deductible) == (
        *("Shop, main", Decimal("1000.50"), Decimal(10)),
    )
    assert (first.limit, str(first.vulnerability)) == (Decimal(500), "brick")
    assert first.places.count() == 1
    assert (second.value, second.limit, second.places.count()) == (
        *(Decimal(100), None, 0),
    )


def test_every_fault_is_listed_and_nothing_is_imported(
    client: Client, address: str, portfolio: Portfolio
) -> None:
    make_asset(portfolio, "taken")
    body = (
        "id,lat,lon,value,currency,vulnerability\n"
        "a,1,1,1,USD,\n"
        "a,1,1,1,USD,\n"
        "taken,1,1,1,EUR,wood\n"
        ",91,x,-1,USD,\n"
        "b,1,1\n"
        "c,1,1,1e300,USD,\n"
    )
    response = send(client, address, body)
    assert response.status_code == 422
    problem = response.json()
    assert (problem["code"], problem["error_count"]) == ("asset_rows_invalid", 10)
    assert [(e["row"], e["column"], e["code"]) for e in problem["errors"]] == [
        (3, "id", "duplicate_reference"),
        (4, "id", "reference_taken"),
        (4, "currency", "wrong_currency"),
        (4, "vulnerability", "unknown_vulnerability"),
        (5, "id", "missing_value"),
        (5, "lat", "coordinate_out_of_range"),
        (5, "lon", "bad_number"),
        (5, "value", "out_of_range"),
        (6, None, "ragged_row"),
        (7, "value", "out_of_range"),
    ]
    assert problem["errors"][0]["pointer"] == "/3/id"
    assert all(error["reason"] for error in problem["errors"])
    assert [asset.reference for asset in Asset.objects.all()] == ["taken"]


def test_numbers_are_read_as_they_are_written(
    client: Client, address: str, portfolio: Portfolio
) -> None:
    rows = "id;lat;lon;value;limit\na;41,85;-87,68;1.250,5;250K\nb;0;0;1,5M;\n"
    options = "?decimal=,&thousands=.&delimiter=;"
    assert send(client, address + options, rows).status_code == 201
    first, second = Asset.objects.order_by("reference")
    assert (first.lat, first.value, first.limit) == (
        *(41.85, Decimal("1250.50")),
        Decimal(250_000),
    )
    assert second.value == Decimal(1_500_000)
    refused = send(client, f"{address}?decimal=x", rows).json()
    assert refused["detail"] == "The decimal sign is a point or a comma."


def test_at_most_a_thousand_faults_are_listed(client: Client, address: str) -> None:
    body = "id,lat,lon,value\n" + "".join(f"r{n},x,0,1\n" for n in range(3_000))
    problem = send(client, address, body).json()
    assert (problem["error_count"], len(problem["errors"])) == (3_000, 1_000)
    assert problem["errors"][-1]["row"] == 1_001


def test_a_replacing_import_changes_what_is_there(
    client: Client, address: str, portfolio: Portfolio
) -> None:
    old = make_asset(portfolio, "a", limit=Decimal(5), name="Old")
    kept = make_asset(portfolio, "kept")
    body = "id,lat,lon,value\na,0,0,7\nnew,41.85,-87.68,9\n"
    done = send(client, f"{address}?replace=true", body).json()
    assert (done["created"], done["replaced"]) == (1, 1)
    changed = Asset.objects.get(reference="a")
    assert (changed.pk, changed.value, changed.limit) == (old.pk, Decimal(7), None)
    assert (changed.name, changed.places.count()) == ("", 0)
    assert Asset.objects.get(pk=kept.pk).value == 1_000
    portfolio.refresh_from_db()
    assert (portfolio.asset_count, portfolio.total_value) == (3, Decimal(1_016))
    assert (portfolio.outside_count, portfolio.outside_value) == (1, Decimal(7))


def test_a_rehearsal_keeps_nothing(
    client: Client, address: str, portfolio: Portfolio
) -> None:
    done = send(client, f"{address}?dry_run=true", "id,lat,lon,value\na,0,0,7\n").json()
    assert (done["created"], done["is_dry_run"]) == (1, True)
    assert not Asset.objects.exists()
    portfolio.refresh_from_db()
    assert (portfolio.revision, portfolio.asset_count) == (1, 0)


def test_a_key_of_idempotency_imports_once(client: Client, address: str) -> None:
    body = "id,lat,lon,value\na,0,0,7\n"
    headers = {"Idempotency-Key": "k-1"}
    first = send(client, address, body, **headers)
    second = send(client, address, body, **headers)
    assert (first.status_code, first.content) == (201, second.content)
    assert second["Idempotency-Replayed"] == "true"
    other = send(client, address, body + "b,0,0,7\n", **headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Asset.objects.count() == 1


def test_what_is_too_large_is_refused(
    client: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "id,lat,lon,value\n" + "".join(f"r{n},0,0,1\n" for n in range(200))
    with monkeypatch.context() as patched:
        patched.setattr(asset_import, "MAX_ROWS", 100)
        assert send(client, address, body).status_code == 413
    with monkeypatch.context() as patched:
        patched.setattr(settings, "ASSETS_MAX_BODY_BYTES", 100)
        assert send(client, address, body).status_code == 413
    monkeypatch.setattr(api, "MAX_UNPACKED_BYTES", 1_000)
    packed = gzip.compress(body.encode())
    bomb = send(client, address, packed, **{"Content-Encoding": "gzip"})
    assert (bomb.status_code, bomb.json()["code"]) == (413, "unpacked_body_too_large")
    assert not Asset.objects.exists()
