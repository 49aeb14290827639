from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections

from scoring.errors import PortfolioChangingError, PortfolioNotFoundError
from scoring.models import Assessment, Portfolio
from scoring.selectors import assessment_inputs
from scoring.selectors.exposures import Exposure, load_exposure
from scoring.services.assessments import (
    AssessmentTerms,
    assess_portfolio,
    prepare_assessment,
    store_assessment,
)
from tests.support.factories import make_asset

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]

QUESTION = AssessmentTerms()


def changing(times: int) -> Callable[..., Exposure]:
    """Read the assets, to which others add meanwhile, a few times."""
    left = list(range(times))

    def load(portfolio: Portfolio, *rest: object) -> Exposure:
        if left:
            stored = Portfolio.objects.get(pk=portfolio.pk)
            make_asset(stored, f"late-{left.pop()}")
        return load_exposure(portfolio, *rest)  # type: ignore[arg-type]  # as given

    return load


def test_two_who_ask_at_once_get_one_assessment(portfolio: Portfolio) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite writes one after the other.")
    barrier = Barrier(4)

    def ask(_: int) -> Assessment:
        try:
            prepared = prepare_assessment(portfolio, QUESTION)
            barrier.wait(timeout=30)
            return store_assessment(prepared)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        found = {assessment.pk for assessment in threads.map(ask, range(4))}
    assert found == set(Assessment.objects.values_list("pk", flat=True))
    assert len(found) == 1


def test_assets_that_change_while_they_are_read_are_read_again(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assessment_inputs, "load_exposure", changing(1))
    assessment = assess_portfolio(portfolio, QUESTION)
    stored = Portfolio.objects.get(pk=portfolio.pk)
    assert assessment.portfolio_revision == stored.revision
    assert assessment.figures["inside"]["count"] == 8


def test_assets_that_never_stand_still_are_a_conflict(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assessment_inputs, "load_exposure", changing(9))
    with pytest.raises(PortfolioChangingError, match="being changed"):
        assess_portfolio(portfolio, QUESTION)


def test_a_portfolio_that_is_deleted_meanwhile_is_not_found(
    portfolio: Portfolio,
) -> None:
    prepared = prepare_assessment(portfolio, QUESTION)
    Portfolio.objects.filter(pk=portfolio.pk).delete()
    with pytest.raises(PortfolioNotFoundError):
        store_assessment(prepared)
