import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from scoring.models import Assessment, Portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def assess_often(client: Client, portfolio: Portfolio, times: int) -> None:
    for number in range(1, times + 1):
        client.post(
            f"/api/v1/assess/{portfolio.pk}",
            {"quantiles": [number / 100]},
            content_type="application/json",
        )


def test_lists_the_newest_first_page_by_page(
    client: Client, portfolio: Portfolio
) -> None:
    assess_often(client, portfolio, 3)
    address = f"/api/v1/portfolios/{portfolio.pk}/assessments"
    newest = Assessment.objects.order_by("-pk").values_list("pk", flat=True)
    page = client.get(address, {"limit": 2}).json()
    rest = client.get(address, {"limit": 2, "after": page["next"]}).json()
    ids = [row["id"] for row in page["results"] + rest["results"]]
    assert ids == [str(pk) for pk in newest]
    assert rest["next"] is None


@pytest.mark.parametrize("times", [1, 20])
def test_a_page_takes_three_queries_however_long_it_is(
    times: int,
    client: Client,
    portfolio: Portfolio,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    assess_often(client, portfolio, times)
    address = f"/api/v1/portfolios/{portfolio.pk}/assessments"
    with django_assert_num_queries(3):
        assert len(client.get(address).json()["results"]) == times


def test_reading_gives_what_assessing_gave(
    client: Client, portfolio: Portfolio
) -> None:
    made = client.post(
        f"/api/v1/assess/{portfolio.pk}", {}, content_type="application/json"
    )
    read = client.get(f"/api/v1/assessments/{made.json()['id']}")
    assert read.json() == made.json()
    again = client.get(
        f"/api/v1/assessments/{made.json()['id']}",
        headers={"If-None-Match": read.headers["ETag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


def test_refuses_a_query_that_it_does_not_know(
    client: Client, portfolio: Portfolio
) -> None:
    address = f"/api/v1/portfolios/{portfolio.pk}/assessments"
    for query in ({"limit": "0"}, {"after": "x"}, {"colour": "red"}):
        assert client.get(address, query).status_code == 422
