"""Writes Mapbox Vector Tiles 2.1: one layer of polygons without holes.

The format is a small subset of protocol buffers. Writing it takes less than the
libraries for it would bring along: three compiled packages, to draw shapes that are
convex already.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

CONTENT_TYPE: Final = "application/vnd.mapbox-vector-tile"
EXTENT: Final = 4_096
VERSION: Final = 2
POLYGON: Final = 3
MOVE_TO, LINE_TO, CLOSE_PATH = 1, 2, 7
VARINT, BYTES = 0, 2

Ring = list[tuple[int, int]]
Value = str | float


@dataclass(frozen=True, slots=True, kw_only=True)
class TileFeature:
    """A polygon in units of the tile; `ring` as `tile_ring` gives it."""

    feature_id: int
    ring: Ring
    properties: Mapping[str, Value]


def tile_ring(points: Iterable[tuple[float, float]]) -> Ring:
    """Round to whole units; empty where nothing is left that has an area.

    An outer ring runs clockwise, as seen with y downwards.
    """
    rounded = [(round(x), round(y)) for x, y in points]
    closed = [*rounded, *rounded[:1]]
    ring = [here for here, after in pairwise(closed) if here != after]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*ring, *ring[:1]]))
    if not area:
        return []
    return ring if area > 0 else ring[::-1]


def encode_tile(layer: str, features: Iterable[TileFeature]) -> bytes:
    """Write a tile; properties of equal value are stored once."""
    keys: dict[str, int] = {}
    values: dict[Value, int] = {}
    parts = [_field(1, layer.encode()), _number(15, VERSION), _number(5, EXTENT)]
    for feature in features:
        tags = []
        for key, value in feature.properties.items():
            tags.append(keys.setdefault(key, len(keys)))
            tags.append(values.setdefault(value, len(values)))
        parts.append(_field(2, _feature(feature, tags)))
    parts += [_field(3, key.encode()) for key in keys]
    parts += [_field(4, _value(value)) for value in values]
    return _field(3, b"".join(parts))


def _feature(feature: TileFeature, tags: Iterable[int]) -> bytes:
    return b"".join(
        [
            _number(1, feature.feature_id),
            _field(2, b"".join(map(_varint, tags))),
            _number(3, POLYGON),
            _field(4, b"".join(map(_varint, _commands(feature.ring)))),
        ]
    )


def _commands(ring: Ring) -> list[int]:
    """Steps from corner to corner, each relative to the one before."""
    steps = [
        _zigzag(here - before)
        for start, end in pairwise([(0, 0), *ring])
        for before, here in zip(start, end, strict=True)
    ]
    n_lines = len(ring) - 1
    return [
        *(_command(MOVE_TO, 1), *steps[:2]),
        *(_command(LINE_TO, n_lines), *steps[2:]),
        _command(CLOSE_PATH, 1),
    ]


def _command(name: int, count: int) -> int:
    return name | count << 3


def _zigzag(number: int) -> int:
    return 2 * number if number >= 0 else -2 * number - 1


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return _field(1, value.encode())
    return _varint(3 << 3 | 1) + struct.pack("<d", value)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | VARINT) + _varint(value)


def _varint(number: int) -> bytes:
    if number <= 0x7F:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
