"""Deny by default: what a stranger may reach is written down here, and nothing else."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

OPEN = {
    "",
    "health/live",
    "health/ready",
    "api/schema/",
    "api/docs/",
    "problems/<slug:slug>",
    "api/v1/regions",
    "api/v1/regions/<slug:slug>",
    "api/v1/regions/<slug:slug>/cells",
    "api/v1/regions/<slug:slug>/boundary",
    "api/v1/risk-map",
    "api/v1/risk-map/tiles/<int:z>/<int:x>/<int:y>.mvt",
    "api/v1/score-snapshot",
    "login/",
    "admin/login/",
    "admin/logout/",
    "admin/jsi18n/",
}
EXAMPLES = {
    "<slug:slug>": "secret",
    "<uuid:batch_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<uuid:upload_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<uuid:version_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<uuid:forecast_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<uuid:job_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<uuid:portfolio_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<uuid:asset_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<uuid:rule_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<uuid:alert_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<uuid:webhook_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<uuid:delivery_id>": "019aaaaa-0000-7000-8000-000000000000",
    "<path:object_id>": "1",
    "<int:content_type_id>": "1",
    "<path:object_id>/": "1/",
    "<id>": "1",
    "<app_label>": "scoring",
    "(?P<app_label>auth|scoring)": "scoring",
    "<path:": "",
}


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def addresses() -> list[str]:
    """Every route that is plain or can be filled in with an example."""
    found = []
    for route in routes(get_resolver().url_patterns):
        if route in OPEN or "(?P<" in route:
            continue
        address = route
        for part, example in EXAMPLES.items():
            address = address.replace(part, example)
        found.append(address)
    return sorted(set(found))


def test_the_open_list_names_only_routes_that_exist() -> None:
    assert set(routes(get_resolver().url_patterns)) >= OPEN


@pytest.mark.django_db
@pytest.mark.parametrize("address", addresses())
def test_a_stranger_is_refused(address: str, stranger: Client) -> None:
    for method in (stranger.get, stranger.post, stranger.put, stranger.delete):
        response = method(f"/{address}")
        assert response.status_code in {302, 401, 403, 404}
        if response.status_code == 302:
            assert response.headers["Location"].startswith(("/admin/login/", "/login/"))
