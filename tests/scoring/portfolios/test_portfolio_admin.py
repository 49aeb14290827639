"""Staff pages of portfolios: the same queries for one row and for twenty."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from riskplatform.api.keys.models import Membership, Organisation
from scoring.models import Asset, AssetPlace, Portfolio, Vulnerability
from tests.support.factories import (
    CENTRE,
    make_asset,
    make_organisation,
    make_portfolio,
    make_region,
    make_vulnerability,
)

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

MODELS = (Portfolio, Asset, Vulnerability, Membership)


def fill(first: int, last: int) -> None:
    for number in range(first, last):
        organisation = make_organisation(f"organisation-{number}")
        curve = make_vulnerability(organisation)
        portfolio = make_portfolio(organisation, name=f"p-{number}")
        make_asset(portfolio, vulnerability=curve)
        person = User.objects.create_user(f"person-{number}", password="p")
        Membership.objects.create(user=person, organisation=organisation)


def page(model: Any, name: str, *parts: object) -> str:
    options = model._meta
    address = f"admin:{options.app_label}_{options.model_name}_{name}"
    return reverse(address, args=parts)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_for_one_row_and_for_twenty(
    model: Any, admin: Client, django_assert_max_num_queries: Any
) -> None:
    make_region()
    counts = []
    for first, last in ((0, 1), (1, 20)):
        fill(first, last)
        admin.get(page(model, "changelist"))
        with django_assert_max_num_queries(12) as queries:
            assert admin.get(page(model, "changelist")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("model", MODELS)
def test_a_row_can_be_looked_at(model: Any, admin: Client) -> None:
    make_region()
    fill(0, 2)
    row = model.objects.first()
    assert admin.get(page(model, "change", row.pk)).status_code == 200
    assert admin.get(page(model, "add")).status_code == 200


def test_a_form_of_an_asset_costs_the_same_in_one_region_and_in_twenty(
    admin: Client, acme: Organisation
) -> None:
    asset = make_asset(make_portfolio(acme))
    counts = []
    for first, last in ((0, 1), (1, 20)):
        for number in range(first, last):
            make_region(f"region-{number}", rings=0)
        with CaptureQueriesContext(connection) as queries:
            admin.get(page(Asset, "change", asset.pk))
        counts.append(len(queries))
    assert AssetPlace.objects.count() == 20
    assert counts[0] == counts[1]


def test_staff_write_assets_through_the_services(
    admin: Client, acme: Organisation
) -> None:
    make_region()
    portfolio = make_portfolio(acme)
    lat, lon = CENTRE
    columns = {"reference": "a", "lat": lat, "lon": lon, "value": 5, "deductible": 0}
    inline = {"places-TOTAL_FORMS": 0, "places-INITIAL_FORMS": 0}
    form = {"portfolio": portfolio.pk, **columns, **inline}
    admin.post(page(Asset, "add"), form)
    asset = Asset.objects.get()
    assert asset.places.count() == 1
    admin.post(page(Asset, "change", asset.pk), {**form, "lat": 0, "value": "7"})
    portfolio.refresh_from_db()
    assert (int(portfolio.total_value), portfolio.outside_count) == (7, 1)
    admin.post(page(Asset, "delete", asset.pk), {"post": "yes"})
    portfolio.refresh_from_db()
    assert (portfolio.asset_count, portfolio.revision) == (0, 4)


def test_staff_rename_delete_and_place_portfolios(
    admin: Client, acme: Organisation
) -> None:
    make_region()
    portfolio = make_portfolio(acme, n_assets=2)
    admin.post(page(Portfolio, "change", portfolio.pk), {"name": "Inns"})
    portfolio.refresh_from_db()
    assert portfolio.name == "Inns"
    AssetPlace.objects.all().delete()
    action = {"action": "find_places_again", "_selected_action": [portfolio.pk]}
    done = admin.post(page(Portfolio, "changelist"), action, follow=True)
    assert "Done; 0 assets lie outside every region." in done.content.decode()
    asked = admin.get(page(Portfolio, "delete", portfolio.pk)).content.decode()
    assert "Inns: 2 assets" in asked
    admin.post(page(Portfolio, "delete", portfolio.pk), {"post": "yes"})
    assert not Asset.objects.exists()


@pytest.mark.parametrize(
    ("points", "is_made"),
    [
        ("[[0, 0], [1, 1]]", True),
        ("[[1, 0], [0, 1]]", False),
        ("[[0, 2]]", False),
        ("[1, 2]", False),
        ('{"a": 1}', False),
        ("[]", False),
    ],
)
def test_a_curve_is_checked_and_then_fixed(
    points: str, is_made: bool, admin: Client
) -> None:
    form = {"slug": "brick", "name": "Brick", "points": points}
    admin.post(page(Vulnerability, "add"), form)
    assert Vulnerability.objects.exists() == is_made
    for made in Vulnerability.objects.all():
        admin.post(
            page(Vulnerability, "change", made.pk), {**form, "points": "[[0, 0.5]]"}
        )
        assert Vulnerability.objects.get().points == [[0, 0], [1, 1]]
