"""The dashboard in a real browser, with the content security policy in force."""

import pytest
from pytest_django.live_server_helper import LiveServer

from scoring.models import Region
from tests.browser.chromium import Page
from tests.browser.dashboard_page import (
    COLOURS_MISSING,
    HAS_FAILED,
    IS_READY,
    TOP_ROWS,
    choose_horizon,
)
from tests.support.factories import make_forecast, make_region

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_loads_without_a_complaint_of_the_browser(dashboard: Page) -> None:
    assert dashboard.problems == []


def test_the_browser_complains_of_an_inline_style(dashboard: Page) -> None:
    dashboard.evaluate("document.body.setAttribute('style', 'color: red')")

    assert "Content Security Policy" in dashboard.wait_for_problem()


def test_paints_every_cell_in_the_colours_of_the_legend(
    dashboard: Page, published_forecast: Region
) -> None:
    drawn = dashboard.evaluate(
        "Number(document.getElementById('map').dataset.cellsDrawn)"
    )

    assert drawn == published_forecast.cells.count()
    assert dashboard.evaluate(COLOURS_MISSING) == 0


def test_lists_the_ten_riskiest_cells(dashboard: Page) -> None:
    ranks = dashboard.evaluate(
        f"{TOP_ROWS}.map((row) => Number(row.cells[0].textContent))"
    )
    values = dashboard.evaluate(
        f"{TOP_ROWS}.map((row) => Number.parseFloat(row.cells[2].textContent))"
    )

    assert isinstance(ranks, list)
    assert len(ranks) == 10
    assert ranks == sorted(ranks)
    assert isinstance(values, list)
    assert values == sorted(values, reverse=True)


def test_the_other_horizon_shows_other_values(dashboard: Page) -> None:
    values = f"{TOP_ROWS}.map((row) => row.cells[2].textContent).join()"
    before = dashboard.evaluate(values)

    dashboard.evaluate(choose_horizon(1))
    dashboard.wait_for(f"{IS_READY} && {values} !== '{before}'")

    assert dashboard.problems == []


def test_a_refusal_is_shown_in_the_words_of_the_server_and_can_be_retried(
    dashboard: Page, published_forecast: Region
) -> None:
    published_forecast.forecasts.all().delete()

    dashboard.evaluate(choose_horizon(1))
    dashboard.wait_for(HAS_FAILED)

    detail = str(
        dashboard.evaluate("document.getElementById('problem-detail').textContent")
    )
    assert published_forecast.slug in detail
    dashboard.evaluate("document.getElementById('retry').click()")
    dashboard.wait_for(HAS_FAILED)


@pytest.mark.usefixtures("transactional_db")
def test_without_a_region_the_page_says_how_to_get_one(
    page: Page, live_server: LiveServer
) -> None:
    page.open(live_server.url)

    text = str(page.evaluate("document.querySelector('main').textContent"))
    assert "manage.py load_demo" in text
    assert page.problems == []
    # It waits for the first map.
    make_forecast(make_region())
    page.wait_for(IS_READY)
