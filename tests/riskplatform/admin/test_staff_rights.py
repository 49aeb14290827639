"""Staff without rights see and do nothing; a viewer writes nothing."""

from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from perf.jobs.models import Job
from riskplatform.api.keys.models import Membership
from scoring.models import Portfolio
from tests.riskplatform.admin.test_every_page import PAGES, address_of, name_of
from tests.support.factories import make_organisation
from tests.support.row_makers import ROW_MAKERS

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_store"),
]
WRITES = ("post", "put", "patch", "delete")
# A viewer may ask for these: they answer questions and keep nothing of a client's.
QUESTIONS = {
    "/api/v1/assess/{portfolio_id}",
    "/api/v1/assess/batch",
    "/api/v1/assess/what-if",
    "/api/v1/features/build-window",
    "/api/v1/score-snapshot",
    # It opens a socket, which only reads.
    "/api/v1/ws-ticket",
}
NOBODY = "019aaaaa-0000-7000-8000-000000000000"


@pytest.fixture
def clerk(db: None) -> User:
    return User.objects.create_user("clerk", password="p", is_staff=True)


def signed_in(user: User, *, checks_csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=checks_csrf)
    client.force_login(user)
    return client


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_staff_without_rights_see_no_page(page: ModelAdmin[Any], clerk: User) -> None:
    ROW_MAKERS[page.model](0)
    has_forms = page.list_display_links is not None
    key = page.model._default_manager.earliest("pk").pk if has_forms else "1"
    client = signed_in(clerk)
    addresses = [
        address_of(page.model, "changelist"),
        address_of(page.model, "add"),
        *(address_of(page.model, name, key) for name in ("change", "delete")),
    ]
    for address in addresses:
        assert client.get(address).status_code == 403
        assert client.post(address, {"post": "yes"}).status_code == 403


def test_staff_without_rights_find_an_empty_index(clerk: User) -> None:
    client = signed_in(clerk)
    assert client.get(reverse("admin:index")).context["app_list"] == []
    query = {"app_label": "scoring", "model_name": "asset", "field_name": "portfolio"}
    answer = client.get(reverse("admin:autocomplete"), query)
    assert answer.status_code == 403


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_who_may_only_look_is_offered_no_action(
    page: ModelAdmin[Any], clerk: User
) -> None:
    name = f"view_{page.model._meta.model_name}"
    clerk.user_permissions.add(
        Permission.objects.get(
            codename=name, content_type__app_label=page.model._meta.app_label
        )
    )
    request: HttpRequest = RequestFactory().get("/admin/")
    request.user = User.objects.get(pk=clerk.pk)
    assert page.has_view_permission(request)
    assert page.get_actions(request) == {}


def write_operations() -> list[tuple[str, str]]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [
        (method, path)
        for path, operations in schema["paths"].items()
        for method in WRITES
        if method in operations
    ]


@pytest.mark.parametrize("role", Membership.Role.values)
@pytest.mark.parametrize(("method", "path"), write_operations())
def test_a_session_writes_only_with_a_csrf_token(
    method: str, path: str, role: str, clerk: User
) -> None:
    Membership.objects.create(user=clerk, organisation=make_organisation(), role=role)
    client = signed_in(clerk, checks_csrf=True)
    answer = getattr(client, method)(filled_in(path), {}, "application/json")
    # Events are taken from keys alone.
    is_for_keys = path == "/api/v1/events"
    assert answer.status_code == (401 if is_for_keys else 403)
    assert is_for_keys or "CSRF" in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [each for each in write_operations() if each[1] not in QUESTIONS],
)
def test_a_viewer_writes_nothing(method: str, path: str, clerk: User) -> None:
    Membership.objects.create(user=clerk, organisation=make_organisation())
    answer = getattr(signed_in(clerk), method)(filled_in(path), {}, "application/json")
    assert answer.status_code in {401, 403}
    assert not Portfolio.objects.exists()
    assert not Job.objects.exists()


def filled_in(path: str) -> str:
    for name in ("portfolio", "asset", "rule", "alert", "webhook", "delivery", "job"):
        path = path.replace(f"{{{name}_id}}", NOBODY)
    return path.replace("{version_id}", NOBODY).replace("{slug}", "own")
