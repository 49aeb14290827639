"""A file goes through a real browser: uploaded, checked, imported."""

from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from perf.jobs.runner import run_next_job
from riskplatform.api.keys.models import Membership
from scoring.models import Region
from tests.browser.chromium import Page
from tests.support.factories import make_organisation

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
import_module("scoring.tasks")
CALLS = (
    "call_time,latitude,longitude,kind\n"
    "01/25/2023 11:30 PM,41.85,-87.68,fire\n"
    "01/26/2023 01:05 AM,41.86,-87.69,fire\n"
    "01/27/2023 02:00 AM,41.86,,fire\n"
)
TEXT = "(document.getElementById('outcome')?.textContent ?? '')"


@pytest.fixture
def signed_in(
    page: Page, live_server: LiveServer, settings: Settings, tmp_path: Path
) -> Page:
    settings.UPLOADS_DIR = tmp_path / "uploads"
    user = User.objects.create_user("ada")
    Membership.objects.create(
        organisation=make_organisation("acme"), user=user, role="editor"
    )
    client = Client()
    client.force_login(user)
    session = client.cookies[configured.SESSION_COOKIE_NAME].value
    page.command(
        "Network.setCookie",
        name=configured.SESSION_COOKIE_NAME,
        value=session,
        url=live_server.url,
    )
    return page


def click(page: Page, selector: str) -> None:
    page.evaluate(f"document.querySelector({selector!r}).click()")


def test_a_file_is_uploaded_checked_and_imported(
    signed_in: Page, live_server: LiveServer, tmp_path: Path
) -> None:
    page = signed_in
    file = tmp_path / "calls.csv"
    file.write_text(CALLS, encoding="utf-8")
    page.open(f"{live_server.url}/files/")
    page.choose_file("#events-file", file)
    page.evaluate("document.getElementById('events-target').value = 'calls'")
    click(page, "[name=create]")
    click(page, "button.primary")
    page.wait_for("document.querySelector('progress') !== null")
    run_next_job()
    # The page follows the worker by itself.
    page.wait_for(f"{TEXT}.includes('2 events would be stored')")
    fields = page.evaluate(
        "[...document.querySelectorAll('#id_map, #id_time_format, #id_source')]"
        ".map((field) => field.value)"
    )
    assert fields == [
        "occurred_at=call_time,lat=latitude,lon=longitude,event_type=kind",
        "calls",
        "%m/%d/%Y %I:%M %p",
    ]
    click(page, "button[value=import]")
    page.wait_for("document.querySelector('progress') !== null")
    run_next_job()
    page.wait_for(f"{TEXT}.includes('2 events stored')")
    assert Region.objects.get().slug == "calls"
    assert page.problems == []


@pytest.mark.parametrize("width", [420, 1400])
def test_nothing_is_wider_than_the_window(
    signed_in: Page, live_server: LiveServer, width: int
) -> None:
    signed_in.command(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=900,
        deviceScaleFactor=1,
        mobile=False,
    )
    for address in ("/files/", "/login/"):
        signed_in.open(live_server.url + address)
        assert signed_in.evaluate(f"document.documentElement.scrollWidth <= {width}")
        assert signed_in.problems == []
