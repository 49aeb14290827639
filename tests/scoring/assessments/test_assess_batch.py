import time
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client

from perf.jobs.models import Job
from perf.jobs.runner import JobCancelledError, run_next_job, runners
from riskplatform.api.keys.models import Organisation
from scoring.models import Assessment, Forecast, Portfolio
from scoring.services import assessments
from scoring.services.assessments import (
    ASSESS,
    AssessmentTerms,
    queue_batch,
    run_batch,
)
from scoring.tasks import assess_portfolios
from tests.support.factories import make_organisation, make_portfolio

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]

NOBODY = "019aaaaa-0000-7000-8000-000000000000"


def assess(client: Client, ids: list[Any], **body: Any) -> Any:
    return client.post(
        "/api/v1/assess/batch",
        {"portfolio_ids": [str(portfolio_id) for portfolio_id in ids], **body},
        content_type="application/json",
    )


def connections_open() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture
def portfolios(acme: Organisation, forecast: Forecast) -> list[Portfolio]:
    return [
        make_portfolio(acme, name=f"Shops {number}", n_assets=number)
        for number in range(1, 7)
    ]


def test_gives_one_result_each_in_the_order_asked_for(
    client: Client, portfolios: list[Portfolio]
) -> None:
    others = make_portfolio(make_organisation("other"), n_assets=1)
    empty = make_portfolio(portfolios[0].organisation, name="Empty")
    ids = [portfolios[4].pk, others.pk, empty.pk, UUID(NOBODY), portfolios[0].pk]
    response = assess(client, ids)
    assert response.status_code == 200
    results = response.json()["results"]
    assert [result["portfolio_id"] for result in results] == [str(pk) for pk in ids]
    codes = [result["problem"] and result["problem"]["code"] for result in results]
    missing = "portfolio_not_found"
    assert codes == [None, missing, "not_assessable", missing, None]
    counts = [
        result["assessment"] and result["assessment"]["inside"]["count"]
        for result in results
    ]
    assert counts == [5, None, None, None, 1]


def test_a_batch_gives_what_each_alone_would_get(
    client: Client, portfolios: list[Portfolio]
) -> None:
    batch = assess(client, [portfolio.pk for portfolio in portfolios]).json()
    alone = [
        client.post(
            f"/api/v1/assess/{portfolio.pk}", {}, content_type="application/json"
        ).json()
        for portfolio in portfolios
    ]
    assert [result["assessment"] for result in batch["results"]] == alone
    assert Assessment.objects.count() == len(portfolios)


def test_a_batch_with_an_idempotency_key_is_made_once(
    client: Client, portfolios: list[Portfolio]
) -> None:
    """The answer is stored by a transaction that the threads do not wait for."""
    body = {"portfolio_ids": [str(portfolio.pk) for portfolio in portfolios]}
    answers = [
        client.post(
            "/api/v1/assess/batch",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": "batch"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def test_threads_give_back_their_connections(
    client: Client, portfolios: list[Portfolio]
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no list of connections.")
    before = connections_open()
    for _ in range(3):
        assess(client, [portfolio.pk for portfolio in portfolios])
    # A server process ends a little after its connection.
    until_s = time.monotonic() + 10.0
    while connections_open() > before and time.monotonic() < until_s:
        time.sleep(0.05)
    assert connections_open() <= before


@pytest.mark.parametrize(
    ("ids", "pointer"),
    [
        ([], "/portfolio_ids"),
        ([NOBODY] * 2, "/portfolio_ids/1"),
        (["x"], "/portfolio_ids/0"),
        ([f"{number:032x}" for number in range(5_001)], "/portfolio_ids"),
    ],
)
def test_refuses_what_is_no_list_of_portfolios(
    ids: list[str], pointer: str, client: Client
) -> None:
    response = assess(client, ids)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_more_than_fifty_become_a_job_that_names_assessments(
    client: Client, portfolios: list[Portfolio]
) -> None:
    ids = [str(portfolios[0].pk), *(f"{number:032x}" for number in range(60))]
    response = assess(client, ids, time="2024-01-02T00:00:00Z", quantiles=[0.9])
    assert response.status_code == 202
    assert (response.json()["kind"], response.json()["total"]) == (ASSESS, 61)
    run_next_job()
    job = client.get(f"/api/v1/jobs/{response.json()['id']}").json()
    assert (job["state"], job["done"]) == ("succeeded", 61)
    first, second, *_ = job["result"]["results"]
    assessment = client.get(f"/api/v1/assessments/{first['assessment_id']}").json()
    assert assessment["portfolio_id"] == str(portfolios[0].pk)
    assert set(assessment["var"]) == {"0.9"}
    assert second["problem"]["status"] == 404


def test_a_job_that_is_run_again_makes_nothing_twice(
    acme: Organisation, portfolios: list[Portfolio]
) -> None:
    ids = [portfolio.pk for portfolio in portfolios]
    for _ in range(2):
        queue_batch(acme, ids, AssessmentTerms())
        run_next_job()
    results = [job.result for job in Job.objects.order_by("pk")]
    assert results[0] == results[1]
    assert Assessment.objects.count() == len(portfolios)


def test_a_job_that_is_cancelled_keeps_what_it_has_made(
    acme: Organisation, portfolios: list[Portfolio], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assessments, "AT_ONCE", 2)
    job = queue_batch(
        acme, [portfolio.pk for portfolio in portfolios], AssessmentTerms()
    )

    def progress(done: int) -> None:
        if done == 4:
            raise JobCancelledError

    with pytest.raises(JobCancelledError):
        list(run_batch(job, progress))
    assert Assessment.objects.count() == 4


def test_the_worker_knows_the_job() -> None:
    assert runners[ASSESS].function is assess_portfolios
