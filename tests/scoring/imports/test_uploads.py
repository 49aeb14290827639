"""/files/: a file comes by a browser, is tried, and imported by the worker."""

from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from analytics.models import Event
from perf.jobs.models import Job
from perf.jobs.runner import run_next_job
from riskplatform.api.keys.models import Membership, Organisation
from scoring.models import Asset, Portfolio, Region, Upload
from scoring.services.imports.uploads import forget_uploads
from tests.support.factories import make_organisation, make_portfolio, make_region

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
import_module("scoring.tasks")

CALLS = (
    "When,Latitude,Longitude,Kind\n"
    "01/25/2023 11:30 PM,41.85,-87.68,fire\n"
    "01/26/2023 01:05 AM,41.86,-87.69,fire\n"
    "01/27/2023 02:00 AM,41.86,,fire\n"
)
MAP = "occurred_at=When,lat=Latitude,lon=Longitude,event_type=Kind"
ASSETS = "id,lat,lon,value\na,41.85,-87.68,10\nb,41.86,-87.69,5\n"


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"


@pytest.fixture
def acme(db: None) -> Organisation:
    return make_organisation("acme")


def member(organisation: Organisation, role: str = "editor") -> Client:
    user = User.objects.create_user(f"{role} of {organisation.slug}")
    Membership.objects.create(organisation=organisation, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def bring(
    client: Client,
    organisation: Organisation,
    text: str = CALLS,
    *,
    name: str = "calls.csv",
    **fields: str,
) -> HttpResponse:
    file = SimpleUploadedFile(name, text.encode())
    start = {"kind": "events", "organisation": organisation.pk, "file": file}
    return client.post("/files/", {**start, **fields})  # type: ignore[return-value]


def the_page() -> str:
    return f"/files/{Upload.objects.get().pk}/"


def shown(client: Client) -> dict[str, str]:
    """Give the fields of the form as they stand on the page of the file."""
    form = client.get(the_page()).context["form"]
    return {field.name: value for field in form if (value := field.value())}


def test_a_file_is_checked_then_imported(acme: Organisation) -> None:
    client = member(acme)
    fields = {"region": "calls", "create": "on", "map": MAP}
    answer = bring(client, acme, **fields)
    assert answer["Location"] == the_page()
    assert "Waiting for the worker" in client.get(the_page()).text
    assert run_next_job() is not None

    page = client.get(the_page())
    assert "2 events would be stored in &#x27;calls&#x27;" in page.text
    assert "row 4, column Longitude" in page.text
    assert "<td>01/25/2023 11:30 PM</td>" in page.text
    assert not Region.objects.exists()
    form = shown(client)
    # Found by the check.
    assert form["time_format"] == "%m/%d/%Y %I:%M %p"
    assert form["source"] == "calls"

    client.post(the_page(), {**form, "timezone": "America/Chicago", "action": "import"})
    run_next_job()
    page = client.get(the_page())
    assert "2 events stored in &#x27;calls&#x27;" in page.text
    assert "/?region=calls" in page.text
    region = Region.objects.get()
    assert (region.owner, region.timezone, region.is_public) == (
        acme,
        "America/Chicago",
        False,
    )
    stored = Event.objects.filter(region="calls").order_by("occurred_at")
    assert [f"{event.occurred_at:%Y-%m-%dT%H:%MZ}" for event in stored] == [
        "2023-01-26T05:30Z",
        "2023-01-26T07:05Z",
    ]
    assert {event.source for event in stored} == {"acme/calls"}


def test_an_import_comes_once(acme: Organisation) -> None:
    make_region("calls", owner=acme)
    client = member(acme)
    bring(client, acme, region="calls", map=MAP)
    run_next_job()
    for _ in range(2):
        client.post(the_page(), {**shown(client), "action": "import"})
        run_next_job()
    assert Event.objects.filter(region="calls").count() == 2
    assert "0 events stored" in client.get(the_page()).text


def test_a_model_is_fitted_on_demand(acme: Organisation) -> None:
    make_region("calls", owner=acme)
    client = member(acme)
    bring(client, acme, region="calls", map=MAP)
    run_next_job()
    client.post(the_page(), {**shown(client), "action": "fit"})
    job = Job.objects.get(kind="fit-model")
    assert (job.parameters["region"], job.organisation) == ("calls", acme)


def test_while_the_worker_is_at_it_nothing_else_begins(acme: Organisation) -> None:
    make_region("calls", owner=acme)
    client = member(acme)
    bring(client, acme, region="calls", map=MAP)
    answer = client.post(the_page(), {"region": "calls", "map": MAP})
    assert "Wait until it is done" in answer.text
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "No column of calls.csv looks like the time or the place"),
        ("", "calls.csv"),
        ("PK\x03\x04zip", "is a ZIP archive"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, said: str, acme: Organisation) -> None:
    client = member(acme)
    bring(client, acme, text or " ", region="calls", create="on")
    run_next_job()
    page = client.get(the_page()).text
    assert 'role="alert"' in page
    assert said in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"region": "calls"}, "There is no region"),
        ({"region": "no slug!", "create": "on"}, "valid “slug”"),
        ({"region": "x", "create": "on", "more": "--rejections /x"}, "--rejections"),
        ({"region": "x", "create": "on", "more": "--save-source y"}, "--save-source"),
        ({"region": "x", "create": "on", "more": "'"}, "No closing quotation"),
        ({"region": "x", "create": "on", "timezone": "Mars"}, ""),
    ],
)
def test_what_is_wrong_with_the_form_is_said(
    fields: dict[str, str], said: str, acme: Organisation
) -> None:
    answer = bring(member(acme), acme, **fields)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_name_leads_nowhere_else(acme: Organisation, settings: Settings) -> None:
    bring(member(acme), acme, name="../../.evil;.csv", region="calls", create="on")
    upload = Upload.objects.get()
    assert upload.path.resolve().is_relative_to(Path(settings.UPLOADS_DIR).resolve())
    assert upload.name == "evil.csv"
    assert upload.path.stat().st_mode & 0o077 == 0
    assert upload.folder.stat().st_mode & 0o077 == 0


def test_a_file_that_is_too_large_leaves_nothing(
    acme: Organisation, settings: Settings
) -> None:
    settings.UPLOAD_MAX_BYTES = 10
    answer = bring(member(acme), acme, region="calls", create="on")
    assert "more than 10 bytes" in answer.content.decode()
    assert not Upload.objects.exists()
    assert not any(Path(settings.UPLOADS_DIR).iterdir())


def test_others_see_and_change_nothing(acme: Organisation) -> None:
    make_region("calls", owner=acme)
    bring(member(acme), acme, region="calls", map=MAP)
    other = make_organisation("other")
    stranger = member(other)
    assert stranger.get(the_page()).status_code == 404
    assert stranger.post(the_page(), {"region": "calls"}).status_code == 404
    # Neither by naming its region, nor its owner.
    assert bring(stranger, other, region="calls", map=MAP).status_code == 403
    answer = bring(stranger, acme, region="calls", map=MAP)
    assert "Select a valid choice" in answer.content.decode()
    viewer = member(acme, "viewer")
    answer = bring(viewer, acme, region="calls", map=MAP)
    assert "Select a valid choice" in answer.content.decode()
    assert Upload.objects.count() == 1


def test_who_is_not_signed_in_is_asked_to() -> None:
    for address in ("/files/", "/files/019aaaaa-0000-7000-8000-000000000000/"):
        answer = Client().get(address)
        assert answer["Location"] == f"/login/?next={address}"


def test_staff_brings_files_of_the_installation(admin: Client) -> None:
    make_region("calls")
    file = SimpleUploadedFile("calls.csv", CALLS.encode())
    admin.post(
        "/files/", {"kind": "events", "region": "calls", "map": MAP, "file": file}
    )
    run_next_job()
    admin.post(the_page(), {**shown(admin), "action": "import"})
    run_next_job()
    assert {event.source for event in Event.objects.all()} == {"calls"}


def test_assets_are_checked_then_imported(acme: Organisation) -> None:
    client = member(acme)
    fields = {"kind": "assets", "portfolio": "Shops", "currency": "eur"}
    bring(client, acme, ASSETS, name="shops.csv", **fields)
    run_next_job()
    page = client.get(the_page()).text
    assert "2 assets would be added to &#x27;Shops&#x27;" in page
    assert "<td>41.85</td>" in page
    assert not Portfolio.objects.exists()
    client.post(the_page(), {**shown(client), "action": "import"})
    run_next_job()
    assert Asset.objects.filter(portfolio__currency="EUR").count() == 2
    assert "2 assets were added" in client.get(the_page()).text


def test_faults_of_assets_are_listed(acme: Organisation) -> None:
    make_portfolio(acme, name="Shops")
    client = member(acme)
    text = ASSETS + "c,north,-87.6,1\n"
    bring(client, acme, text, kind="assets", portfolio="Shops")
    run_next_job()
    page = client.get(the_page()).text
    assert "row 4, column lat" in page
    # Nothing to import.
    assert 'value="import" class="primary" disabled' in page


def test_another_dialect_of_assets_is_said(acme: Organisation) -> None:
    client = member(acme)
    text = "id;lat;lon;value\na;41,85;-87,68;1.250,50\n"
    fields = {"kind": "assets", "portfolio": "Shops", "currency": "EUR"}
    bring(client, acme, text, name="shops.csv", **fields)
    run_next_job()
    assert "column lat" in client.get(the_page()).text
    client.post(the_page(), {**shown(client), "more": "--decimal ,"})
    run_next_job()
    form = shown(client)
    assert form["more"] == "--decimal ,"
    client.post(the_page(), {**form, "action": "import"})
    run_next_job()
    assert str(Asset.objects.get().value) == "1250.50"
    answer = client.post(the_page(), {**form, "more": "--rejections x"})
    assert "--rejections" in answer.content.decode()


def test_files_are_forgotten(acme: Organisation) -> None:
    make_region("calls", owner=acme)
    client = member(acme)
    bring(client, acme, region="calls", map=MAP)
    Upload.objects.update(created_at=timezone.now() - timedelta(days=30))
    # The worker has not been at it yet.
    assert forget_uploads() == 0
    run_next_job()
    folder = Upload.objects.get().folder
    assert folder.exists()
    assert forget_uploads() == 1
    assert not folder.exists()
    assert not Upload.objects.exists()
