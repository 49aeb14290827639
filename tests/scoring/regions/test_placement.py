"""Events find their region by the cells of the stored regions."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scoring.selectors.placement import StoredRegions
from tests.support.factories import CENTRE, make_region

pytestmark = pytest.mark.django_db


def test_a_place_belongs_to_the_region_that_holds_its_cell() -> None:
    make_region("chicago")
    regions = StoredRegions()
    lat, lon = CENTRE

    found = regions.place(np.array([lat, 0.0]), np.array([lon, 0.0]))

    assert found == ["chicago", None]
    grid = regions.find("chicago")
    assert grid is not None
    assert (grid.slug, grid.resolution) == ("chicago", 8)
    assert regions.find("nowhere") is None


def test_a_place_in_two_regions_belongs_to_the_first_by_name() -> None:
    make_region("north")
    make_region("district")

    found = StoredRegions().place(*(np.array([value]) for value in CENTRE))

    assert found == ["district"]


def test_regions_are_read_now_and_then_not_for_every_event() -> None:
    make_region()
    regions = StoredRegions()
    regions.find("chicago")

    with CaptureQueriesContext(connection) as queries:
        regions.place(np.full(1_000, CENTRE[0]), np.full(1_000, CENTRE[1]))
        regions.find("chicago")

    assert len(queries) == 0


def test_a_region_is_known_by_its_name_at_once() -> None:
    regions = StoredRegions()
    assert regions.find("later") is None

    make_region("later")

    assert regions.find("later") is not None
