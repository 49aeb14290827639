"""A forecast made from events by a fitted model, and what it costs."""

import h3.api.basic_int as h3
import numpy as np
import pytest

from riskplatform.api.keys.models import Organisation
from scoring.models import Portfolio, Region
from scoring.selectors.forecasts import get_columns
from scoring.services.assessments import assess_against
from scoring.services.registry.fitting import fit_model
from tests.support.factories import make_asset, make_portfolio
from tests.support.random_events import store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.databases,
    pytest.mark.usefixtures("no_events"),
]

# The simulated spread of numbers is near that of the forecast, not equal to it.
SPREAD = 0.01


def portfolio_in(acme: Organisation, cells: list[int]) -> Portfolio:
    portfolio = make_portfolio(acme, name=f"{len(cells)} from {cells[0]:x}")
    for cell in cells:
        lat, lon = h3.cell_to_latlng(cell)
        make_asset(portfolio, f"{cell:x}", lat=lat, lon=lon, value="100.00")
    portfolio.refresh_from_db()
    return portfolio


def test_losses_are_as_likely_as_the_map_says(
    acme: Organisation, chicago: Region
) -> None:
    store_random_events(chicago)
    for forecast in fit_model(chicago, kind="poisson_glm").forecasts:
        columns = get_columns(forecast)
        cells = columns.cells.tolist()
        for row in np.argsort(columns.p_event)[::-6].tolist():
            p_event = float(columns.p_event[row])
            figures = assess_against(portfolio_in(acme, [cells[row]]), forecast).figures
            error = 4.0 * np.sqrt(p_event * (1.0 - p_event) / 10_000)
            assert figures["loss_probability"] == pytest.approx(
                p_event, abs=error + SPREAD * p_event
            )
        everywhere = assess_against(portfolio_in(acme, cells), forecast)
        assert everywhere.risk_score == pytest.approx(columns.p_event.mean())
        error = 4.0 * float(everywhere.figures["monte_carlo_error"]["expected_loss"])
        expected = 100.0 * columns.p_event.sum()
        assert float(everywhere.expected_loss) == pytest.approx(
            expected, abs=error + SPREAD * expected
        )
        Portfolio.objects.all().delete()
