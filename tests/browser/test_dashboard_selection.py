"""Picking cells on the dashboard by pointer, by keyboard and from the table."""

import pytest

from tests.browser.chromium import Page
from tests.browser.dashboard_page import (
    TOOLTIP_CELL,
    TOP_ROWS,
    middle_of_selected_cell,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_pointing_at_a_cell_shows_its_probability(dashboard: Page) -> None:
    dashboard.evaluate(f"{TOP_ROWS}[0].querySelector('button').click()")
    left, top = middle_of_selected_cell(dashboard)
    dashboard.evaluate(f"{TOP_ROWS}[0].querySelector('button').click()")

    dashboard.move_mouse(left, top)

    cell = dashboard.wait_for(TOOLTIP_CELL)
    assert cell == dashboard.evaluate(f"{TOP_ROWS}[0].dataset.cell")
    text = str(dashboard.evaluate("document.getElementById('tooltip').textContent"))
    assert str(dashboard.evaluate(f"{TOP_ROWS}[0].cells[2].textContent")) in text


def test_arrow_keys_walk_from_the_riskiest_cell_to_its_neighbour(
    dashboard: Page,
) -> None:
    dashboard.evaluate("document.getElementById('map').focus()")

    dashboard.press("ArrowRight")
    first = dashboard.wait_for(TOOLTIP_CELL)
    dashboard.press("ArrowRight")
    second = dashboard.wait_for(TOOLTIP_CELL)

    assert first == dashboard.evaluate(f"{TOP_ROWS}[0].dataset.cell")
    assert second != first
    assert dashboard.evaluate("document.getElementById('live').textContent !== ''")


def test_clicking_a_cell_marks_its_row(dashboard: Page) -> None:
    dashboard.evaluate(f"{TOP_ROWS}[2].querySelector('button').click()")
    left, top = middle_of_selected_cell(dashboard)
    dashboard.evaluate(f"{TOP_ROWS}[2].querySelector('button').click()")

    dashboard.click(left, top)

    assert (
        dashboard.evaluate(f"{TOP_ROWS}[2].classList.contains('is-selected')") is True
    )
