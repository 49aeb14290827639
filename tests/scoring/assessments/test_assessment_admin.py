import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from scoring.models import Assessment, Portfolio
from scoring.services.assessments import AssessmentTerms, assess_portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

CHANGELIST = "admin:scoring_assessment_changelist"


def assess_often(portfolio: Portfolio, times: int) -> None:
    for number in range(1, times + 1):
        assess_portfolio(portfolio, AssessmentTerms(quantiles=[number / 100]))


@pytest.mark.parametrize("times", [1, 20])
def test_the_list_costs_the_same_for_one_row_and_for_twenty(
    times: int,
    admin: Client,
    portfolio: Portfolio,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    assess_often(portfolio, times)
    admin.get(reverse(CHANGELIST))
    with django_assert_max_num_queries(9):
        page = admin.get(reverse(CHANGELIST))
    assert page.status_code == 200
    assert page.content.decode().count("poisson_glm-1") == times


def test_an_assessment_can_be_looked_at_and_not_changed(
    admin: Client, portfolio: Portfolio
) -> None:
    assess_often(portfolio, 1)
    address = reverse(
        "admin:scoring_assessment_change", args=[Assessment.objects.get().pk]
    )
    page = admin.get(address)
    assert page.status_code == 200
    assert "top_assets" in page.content.decode()
    assert admin.post(address, {}).status_code == 403


@pytest.mark.parametrize("query", ["q=shops", "q=not-a-uuid", "q=%00"])
def test_searching_never_breaks(
    query: str, admin: Client, portfolio: Portfolio
) -> None:
    assess_often(portfolio, 1)
    assert admin.get(f"{reverse(CHANGELIST)}?{query}").status_code == 200
