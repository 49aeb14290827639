"""A portfolio is made and filled, and nobody else sees it."""

from typing import Any

import pytest

from scoring.models import Region
from tests.contract.walking import (
    Cast,
    require_answered_once,
    require_guarded,
    require_known_fields,
    require_unchanged,
)
from tests.support.factories import CENTRE, make_region

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]

SHOPS = {"name": "Shops", "currency": "USD"}
FILE = f"id,lat,lon,value,vulnerability\na,{CENTRE[0]},{CENTRE[1]},1000.5,\nb,0,0,99,\n"
ASSET = {"reference": "c", "lat": CENTRE[0], "lon": CENTRE[1], "value": "10.00"}


@pytest.fixture(autouse=True)
def region(db: None) -> Region:
    return make_region()


def import_file(cast: Cast, portfolio_id: object, **options: Any) -> Any:
    return cast.acme.send(
        "assets_import",
        path={"portfolio_id": portfolio_id},
        content=options.pop("content", FILE).encode(),
        headers={"Content-Type": "text/csv", **options.pop("headers", {})},
        params=options,
    )


def test_a_portfolio_is_made_and_filled(cast: Cast) -> None:
    made = require_answered_once(
        cast.acme, "portfolios_create", bodies=(SHOPS, {**SHOPS, "name": "Other"})
    )
    known = {"portfolio_id": made.id}
    tried = import_file(cast, made.id, dry_run=True).json()
    assert (tried["created"], tried["is_dry_run"]) == (2, True)
    assert cast.acme.get("portfolios_read", **known).asset_count == 0
    again = {"headers": {"Idempotency-Key": "file"}}
    done, replayed = (import_file(cast, made.id, **again) for _ in range(2))
    assert (done.status_code, replayed.content) == (201, done.content)
    assert done.json()["outside"] == {"count": 1, "value": "99.00"}
    wrong = import_file(cast, made.id, content="id,lat,lon,value\nx,91,0,1\n")
    (error,) = wrong.json()["errors"]
    assert (wrong.status_code, error["row"], error["column"]) == (422, 2, "lat")

    read = cast.acme.get("portfolios_read", **known)
    assert (read.asset_count, read.total_value) == (2, "1099.50")


def test_an_asset_is_made_changed_and_removed(cast: Cast) -> None:
    known = {"portfolio_id": cast.acme.get("portfolios_create", body=SHOPS).id}
    asset = require_answered_once(
        cast.acme,
        "assets_create",
        bodies=(ASSET, {**ASSET, "value": "11.00"}),
        **known,
    )
    assert (asset.value, asset.places[0].region) == ("10.00", "chicago")
    inside = cast.acme.get("assets_list", outside=False, **known).results
    assert [one.id for one in inside] == [asset.id]
    require_known_fields(cast.acme, "assets_create", body=ASSET, path=known)
    here = {**known, "asset_id": asset.id}
    shown = cast.acme.send("assets_read", path=here)
    tag = {"if_match": shown.headers["ETag"]}
    changed = cast.acme.get("assets_update", body={"value": "20.00"}, **here, **tag)
    assert changed.value == "20.00"
    stale = cast.acme.call("assets_update", body={"value": "30.00"}, **here, **tag)
    assert (stale.status_code, stale.parsed.code) == (412, "precondition_failed")
    require_guarded(cast, "assets_read", **here)
    require_guarded(cast, "assets_update", body={"name": "Mine"}, **here)
    require_guarded(cast, "assets_delete", **here)
    assert cast.acme.call("assets_delete", **here).status_code == 204
    assert cast.acme.get("assets_list", **known).results == []


def test_a_curve_stays_as_long_as_assets_use_it(cast: Cast) -> None:
    curve = {"slug": "brick", "name": "Brick", "points": [[0, 0], [10, 1]]}
    require_answered_once(
        cast.acme, "vulnerabilities_create", bodies=(curve, {**curve, "slug": "wood"})
    )
    portfolio = cast.acme.get("portfolios_create", body=SHOPS)
    body = {**ASSET, "vulnerability": "brick"}
    cast.acme.get("assets_create", body=body, portfolio_id=portfolio.id)
    used = cast.acme.call("vulnerabilities_delete", slug="brick")
    assert (used.status_code, used.parsed.code) == (409, "vulnerability_in_use")
    assert [one.slug for one in cast.acme.get("vulnerabilities_list").results] == (
        ["brick"]
    )
    require_unchanged(cast.acme, "vulnerabilities_read", path={"slug": "brick"})
    require_guarded(cast, "vulnerabilities_read", slug="brick")
    require_guarded(cast, "vulnerabilities_delete", slug="brick")
    require_known_fields(cast.acme, "vulnerabilities_create", body=curve)
    cast.acme.call("portfolios_delete", portfolio_id=portfolio.id)
    assert cast.acme.call("vulnerabilities_delete", slug="brick").status_code == 204


def test_portfolios_are_managed(cast: Cast) -> None:
    made = cast.acme.get("portfolios_create", body=SHOPS)
    known = {"portfolio_id": made.id}
    renamed = cast.acme.get("portfolios_update", body={"name": "Stores"}, **known)
    assert renamed.name == "Stores"
    found = cast.acme.get("portfolios_list", name="tore").results
    assert [one.id for one in found] == [made.id]
    assert cast.other.get("portfolios_list").results == []
    require_unchanged(cast.acme, "portfolios_read", path=known)
    require_known_fields(cast.acme, "portfolios_create", body=SHOPS)
    reads = ("portfolios_read", "assets_list", "assessments_list", "dashboard")
    for operation_id in (*reads, "portfolios_delete"):
        require_guarded(cast, operation_id, **known)
    require_guarded(cast, "portfolios_update", body={"name": "Mine"}, **known)
    require_guarded(cast, "assets_create", body=ASSET, **known)
    cast.acme.get("portfolios_create", body=SHOPS)
    taken = cast.acme.call("portfolios_update", body={"name": "Shops"}, **known)
    assert (taken.status_code, taken.parsed.code) == (409, "portfolio_name_taken")
    assert cast.acme.call("portfolios_delete", **known).status_code == 204
