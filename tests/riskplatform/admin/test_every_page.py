"""Every registered staff page costs the same for one row and for twenty."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import get_fields_from_path
from django.core import checks
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from riskplatform import urls
from tests.support.query_counts import queries_of
from tests.support.row_makers import ROW_MAKERS, make_choices

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_store"),
]
# A page without a table shows no rows; it has a test of its own.
PAGES = sorted(
    (page for page in admin.site._registry.values() if page.model._meta.managed),
    key=lambda page: page.model.__name__,
)
MOST_QUERIES = 12


def test_django_finds_no_fault_with_them() -> None:
    assert urls.urlpatterns
    assert checks.run_checks(tags=[checks.Tags.admin]) == []


def name_of(page: ModelAdmin[Any]) -> str:
    return str(page.model._meta.label_lower)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_costs_the_same_for_one_row_and_for_twenty(
    page: ModelAdmin[Any], admin: Client
) -> None:
    make = ROW_MAKERS.get(page.model)
    make_choices()
    assert make is not None, f"Add {name_of(page)} to tests/support/row_makers.py."
    before = page.model._default_manager.count()
    make(0)
    addresses = addresses_of(page, admin)
    one = {address: queries_of(admin, address) for address in addresses}
    for number in range(1, 20):
        make(number)
    assert page.model._default_manager.count() - before >= 20
    twenty = {address: queries_of(admin, address) for address in addresses}
    assert twenty == one
    assert max(one.values()) <= MOST_QUERIES, one


def test_no_maker_is_left_over() -> None:
    assert set(ROW_MAKERS) == {page.model for page in PAGES}


def addresses_of(page: ModelAdmin[Any], client: Client) -> list[str]:
    """Give the list, its filters, a search, the first row and the form of a new one."""
    changelist = address_of(page.model, "changelist")
    queries = [filter_of(page.model, str(path)) for path in page.list_filter]
    if page.search_fields:
        queries.append(urlencode({"q": "1"}))
    addresses = [changelist, *(f"{changelist}?{query}" for query in queries)]
    if page.list_display_links is not None:
        first = page.model._default_manager.earliest("pk")
        addresses.append(address_of(page.model, "change", first.pk))
    add = address_of(page.model, "add")
    return [*addresses, add] if client.get(add).status_code == 200 else addresses


def filter_of(model: type[Model], path: str) -> str:
    field: Any = get_fields_from_path(model, path)[-1]
    known = model._default_manager.exclude(**{path: None})
    value = known.values_list(path, flat=True).first()
    assert value is not None, f"Make rows whose {path} is set."
    if field.is_relation:
        return urlencode({f"{path}__{field.target_field.name}__exact": value})
    return urlencode({f"{path}__exact": int(value) if value is True else value})


def address_of(model: type[Model], name: str, *args: object) -> str:
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{name}", args=args)
