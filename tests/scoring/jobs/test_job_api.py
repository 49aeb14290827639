"""Clients follow their jobs, cancel them and try them again."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from perf.jobs.models import Job
from riskplatform.api.keys.models import Membership, Organisation, Scope
from riskplatform.api.keys.services import issue_key

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def make_client(slug: str, *scopes: Scope) -> Client:
    organisation, _ = Organisation.objects.get_or_create(slug=slug)
    key = issue_key(organisation, name="test", scopes=scopes)
    return Client(headers={"Authorization": f"Bearer {key.text.text}"})


def make_job(slug: str = "acme", **values: Any) -> Job:
    organisation, _ = Organisation.objects.get_or_create(slug=slug)
    return Job.objects.create(organisation=organisation, kind="tested", **values)


def test_a_job_tells_how_far_it_has_come() -> None:
    job = make_job(state="running", done=3, total=8, traceback="Traceback …")
    client = make_client("acme", Scope.PORTFOLIOS_READ)
    body = client.get(f"/api/v1/jobs/{job.pk}").json()
    assert (body["id"], body["state"]) == (str(job.pk), "running")
    assert (body["done"], body["total"]) == (3, 8)
    assert body["traceback"] is None


def test_staff_that_may_see_jobs_see_the_traceback() -> None:
    job = make_job(state="failed", traceback="Traceback …")
    user = User.objects.create_user("staff", is_staff=True)
    organisation = Organisation.objects.get()
    Membership.objects.create(organisation=organisation, user=user, role="editor")
    client = Client()
    client.force_login(user)
    assert client.get(f"/api/v1/jobs/{job.pk}").json()["traceback"] is None
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    assert client.get(f"/api/v1/jobs/{job.pk}").json()["traceback"] == "Traceback …"


def test_jobs_are_listed_newest_first_and_page_by_page() -> None:
    asked = [str(make_job().pk) for _ in range(5)]
    client = make_client("acme", Scope.MODELS_WRITE)
    first = client.get("/api/v1/jobs?limit=3").json()
    second = client.get(f"/api/v1/jobs?limit=3&after={first['next']}").json()
    listed = [row["id"] for row in first["results"] + second["results"]]
    assert listed == sorted(asked, reverse=True)
    assert second["next"] is None


def test_a_list_can_be_filtered(django_assert_num_queries: Any) -> None:
    make_job(state="failed")
    client = make_client("acme", Scope.PORTFOLIOS_READ)
    make_job()
    for query, count in (("state=failed", 1), ("kind=tested", 2), ("kind=other", 0)):
        assert len(client.get(f"/api/v1/jobs?{query}").json()["results"]) == count
    assert client.get("/api/v1/jobs?state=nonsense").status_code == 422


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_costs_three_queries(count: int, django_assert_num_queries: Any) -> None:
    """The key, the note of its use, and the page."""
    for _ in range(count):
        make_job()
    client = make_client("acme", Scope.PORTFOLIOS_READ)
    with django_assert_num_queries(3):
        assert client.get("/api/v1/jobs").status_code == 200


def test_a_job_is_cancelled_and_tried_again() -> None:
    job = make_job()
    client = make_client("acme", Scope.PORTFOLIOS_WRITE)
    cancelled = client.post(f"/api/v1/jobs/{job.pk}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    again = client.post(f"/api/v1/jobs/{job.pk}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "job_state")
    queued = client.post(f"/api/v1/jobs/{job.pk}/retry")
    assert (queued.status_code, queued.json()["state"]) == (200, "queued")


@pytest.mark.parametrize("action", ["", "/cancel", "/retry"])
def test_the_job_of_another_organisation_is_not_there(action: str) -> None:
    job = make_job("other")
    client = make_client("acme", Scope.PORTFOLIOS_READ, Scope.PORTFOLIOS_WRITE)
    ask = client.post if action else client.get
    assert ask(f"/api/v1/jobs/{job.pk}{action}").status_code == 404


def test_whoever_only_reads_cannot_cancel() -> None:
    job = make_job()
    client = make_client("acme", Scope.PORTFOLIOS_READ)
    assert client.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 403


def test_a_page_of_large_results_ends_early_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("riskplatform.api.paging.MAX_PAGE_BYTES", 1_500)
    monkeypatch.setattr("scoring.api.jobs.JOBS_AT_ONCE", 2)
    made = [make_job(result=["x" * 1_000]) for _ in range(5)]
    client = make_client("acme", Scope.PORTFOLIOS_READ)
    found: list[str] = []
    after, pages = "", 0
    while True:
        page = client.get(f"/api/v1/jobs?limit=100{after}").json()
        found += [job["id"] for job in page["results"]]
        pages += 1
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == [str(job.pk) for job in reversed(made)]
    assert pages == 3
