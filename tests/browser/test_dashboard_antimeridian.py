"""A region on both sides of the antimeridian is one piece on the map."""

import h3.api.basic_int as h3
import pytest
from pytest_django.live_server_helper import LiveServer

from scoring.models import Region
from scoring.services.regions import define_region
from tests.browser.chromium import Page
from tests.browser.dashboard_page import COLOURS_MISSING, IS_READY
from tests.support.factories import make_forecast

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
# Shapes as the page has them: how wide the region is, in kilometres.
WIDTH_AND_CORNERS = """(async () => {
  const page = document.querySelector('script[type=module]').src;
  const { ForecastSource } = await import(page.replace(/dashboard[^/]*$/, 'source.js'));
  const { geometry } = await new ForecastSource('/api/v1/', 'fiji').read(86400);
  const xs = geometry.cells.flatMap(({ ring }) => ring.map(([x]) => x));
  const corners = geometry.cells.reduce((sum, { ring }) => sum + ring.length, 0);
  return [Math.max(...xs) - Math.min(...xs), corners];
})()"""


def test_cells_on_both_sides_are_drawn_together(
    db: None, live_server: LiveServer, page: Page
) -> None:
    cells = h3.grid_disk(h3.latlng_to_cell(-17.0, 179.95, 3), 3)
    definition = Region(
        slug="fiji", name="Fiji", timezone="Pacific/Fiji", resolution=3, is_public=True
    )
    make_forecast(define_region(definition, cells=cells))
    page.open(f"{live_server.url}/?region=fiji")
    page.wait_for(IS_READY)
    shape = page.evaluate(WIDTH_AND_CORNERS)
    assert isinstance(shape, list)
    width_km, corner_count = shape
    assert 500 < width_km < 1_200
    assert corner_count == sum(len(h3.cell_to_boundary(cell)) for cell in cells)
    assert page.evaluate("document.getElementById('map').dataset.cellsDrawn") == "37"
    assert page.evaluate(COLOURS_MISSING) == 0
    assert page.problems == []
