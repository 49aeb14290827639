"""The tile writer, against a reader of its own and against a library."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskplatform.api.vector_tiles import EXTENT, TileFeature, encode_tile, tile_ring
from tests.scoring.maps.tile_reading import read_tile

POINTS = st.tuples(st.integers(-64, EXTENT + 64), st.integers(-64, EXTENT + 64))
VALUES = st.one_of(st.text(max_size=9), st.floats(allow_nan=False))
SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]


@settings(deadline=None)
@given(
    features=st.lists(
        st.builds(
            lambda number, ring, values: TileFeature(
                feature_id=number, ring=ring, properties=values
            ),
            st.integers(0, 2**64 - 1),
            st.lists(POINTS, min_size=3, max_size=12),
            st.dictionaries(st.text(min_size=1, max_size=9), VALUES, max_size=4),
        ),
        max_size=6,
    )
)
def test_what_is_written_is_read_back(features: list[TileFeature]) -> None:
    (layer,) = read_tile(encode_tile("cells", features))
    assert (layer.name, layer.version, layer.extent) == ("cells", 2, EXTENT)
    read = [(f.feature_id, f.properties, f.rings) for f in layer.features]
    assert read == [(f.feature_id, f.properties, [f.ring]) for f in features]


def test_an_outer_ring_runs_clockwise_with_y_downwards() -> None:
    assert tile_ring(SQUARE) == SQUARE
    assert tile_ring(SQUARE[::-1]) == SQUARE


def test_what_rounds_to_a_line_or_a_point_is_nothing() -> None:
    assert tile_ring([]) == []
    assert tile_ring([(0.1, 0.1), (0.4, 0.2), (0.3, 0.4)]) == []
    assert tile_ring([(0, 0), (5, 5), (9, 9)]) == []


def test_repeated_corners_are_written_once() -> None:
    repeated = [SQUARE[0], *SQUARE, SQUARE[3], SQUARE[0]]
    assert tile_ring(repeated) == SQUARE


def test_a_library_reads_the_same() -> None:
    library = pytest.importorskip("mapbox_vector_tile")
    properties: dict[str, str | float] = {"cell_hex": "8a", "p_event": 0.25}
    feature = TileFeature(feature_id=2**62, ring=SQUARE, properties=properties)
    read = library.decode(
        encode_tile("cells", [feature]), default_options={"y_coord_down": True}
    )
    (found,) = read["cells"]["features"]
    assert (found["id"], found["properties"]) == (2**62, properties)
    (ring,) = found["geometry"]["coordinates"]
    assert [tuple(point) for point in ring] == [*SQUARE, SQUARE[0]]
    assert math.isclose(read["cells"]["extent"], EXTENT)
