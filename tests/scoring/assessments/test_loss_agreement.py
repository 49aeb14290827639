"""One forecast drives the map, the scores and the losses: they must agree."""

from typing import Any

import h3.api.basic_int as h3
import numpy as np
import pytest
from django.test import Client

from scoring.models import Forecast, Portfolio
from scoring.selectors.forecasts import get_columns, get_scenarios
from tests.support.factories import DAY_S, ISSUED_FOR, make_asset, make_portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

# Nearly every one of forty estimates lies within four standard errors.
ERRORS = 4.0


def assess(client: Client, portfolio: Portfolio, **body: Any) -> Any:
    return client.post(
        f"/api/v1/assess/{portfolio.pk}", body, content_type="application/json"
    ).json()


def risk_map(client: Client) -> dict[int, dict[str, Any]]:
    answer = client.get("/api/v1/risk-map", {"region": "chicago"}).json()
    return {int(cell["cell_id"]): cell for cell in answer["aggregated"]}


def portfolio_in(cell: int, portfolio: Portfolio, **columns: Any) -> Portfolio:
    single = make_portfolio(portfolio.organisation, name=f"{cell:x}")
    lat, lon = h3.cell_to_latlng(cell)
    make_asset(single, lat=lat, lon=lon, **columns)
    single.refresh_from_db()
    return single


def test_scenarios_have_as_many_events_as_the_forecast_expects(
    forecast: Forecast,
) -> None:
    columns, scenarios = get_columns(forecast), get_scenarios(forecast)
    counts = scenarios.counts().toarray()
    error = np.sqrt((columns.mean + columns.alpha * columns.mean**2) / len(counts))
    assert np.all(np.abs(counts.mean(axis=0) - columns.mean) < ERRORS * error)


def test_a_loss_in_one_cell_is_as_likely_as_an_event_there(
    client: Client, forecast: Forecast, portfolio: Portfolio
) -> None:
    cells = risk_map(client)
    for cell in list(cells)[::6]:
        p_event = cells[cell]["p_event"]
        found = assess(client, portfolio_in(cell, portfolio))
        n_scenarios = found["monte_carlo_error"]["n_scenarios"]
        error = np.sqrt(p_event * (1.0 - p_event) / n_scenarios)
        assert found["loss_probability"] == pytest.approx(p_event, abs=ERRORS * error)
        assert found["risk_score"] == pytest.approx(p_event)
        expected = 1_000.0 * found["loss_probability"]
        assert float(found["expected_loss"]) == pytest.approx(expected, abs=0.01)


def test_the_risk_score_is_the_map_weighed_by_value(
    client: Client, portfolio: Portfolio
) -> None:
    cells = risk_map(client)
    found = assess(client, portfolio)
    assert all(
        cells[int(cell["cell_id"])]["p_event"] == cell["p_event"]
        for cell in found["top_cells"]
    )
    places = portfolio.assets.values_list("places__h3", flat=True)
    expected = np.mean([cells[cell]["p_event"] for cell in places])
    assert found["risk_score"] == pytest.approx(expected)


def test_the_expected_loss_is_within_its_error_of_what_the_map_says(
    client: Client, portfolio: Portfolio
) -> None:
    """Without curve, deductible or limit an asset loses its value with p_event."""
    found = assess(client, portfolio)
    error = float(found["monte_carlo_error"]["expected_loss"])
    expected = 7_000.0 * found["risk_score"]
    assert float(found["expected_loss"]) == pytest.approx(expected, abs=ERRORS * error)


def test_scores_of_the_snapshot_are_those_of_the_assessment(
    client: Client, portfolio: Portfolio
) -> None:
    top = assess(client, portfolio)["top_cells"]
    answer = client.post(
        "/api/v1/score-snapshot",
        {
            "region": "chicago",
            "time": ISSUED_FOR.isoformat(),
            "horizon_sec": DAY_S,
            "cells": [{"cell_id": cell["cell_id"]} for cell in top],
        },
        content_type="application/json",
    ).json()
    probabilities = [z["distribution_params"]["p_event"] for z in answer["zones"]]
    assert probabilities == [cell["p_event"] for cell in top]
