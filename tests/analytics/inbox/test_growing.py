"""A region without a boundary is where its events are, however these came in."""

from collections.abc import Callable

import pytest

from analytics.shipping.shipper import ShippingReport
from scoring.services.regions import grow_region
from tests.support.event_payloads import make_event
from tests.support.factories import make_region
from tests.support.one_region import Post

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_store"),
]
FAR = {"lat": 41.2, "lon": -88.4}
BOUNDARY = {"type": "FeatureCollection", "features": []}


def test_a_region_without_a_boundary_grows_with_posted_events(
    post: Post, ship: Callable[[], ShippingReport]
) -> None:
    region = make_region()
    before = region.cells.count()
    post([make_event(0, **FAR)], query="?region=chicago")
    ship()

    assert grow_region(region) == 7
    assert region.cells.count() == before + 7
    assert grow_region(region) == 0


def test_a_region_with_a_boundary_does_not_grow(
    post: Post, ship: Callable[[], ShippingReport]
) -> None:
    region = make_region()
    region.boundary = BOUNDARY
    region.save()
    post([make_event(0, **FAR)], query="?region=chicago")
    ship()

    assert grow_region(region) == 0


def test_a_place_in_no_region_is_refused_with_what_to_do(post: Post) -> None:
    make_region()

    answer = post([make_event(0, lat=10.0, lon=10.0)])

    assert b"No region holds this place. Name the region" in answer.content
