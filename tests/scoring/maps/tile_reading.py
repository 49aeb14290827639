"""Reads vector tiles after the public specification, and nothing of the writer."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Point = tuple[int, int]


@dataclass
class ReadFeature:
    feature_id: int
    properties: dict[str, Any]
    rings: list[list[Point]]


@dataclass
class ReadLayer:
    name: str = ""
    version: int = 0
    extent: int = 0
    features: list[ReadFeature] = field(default_factory=list)


def read_tile(body: bytes) -> list[ReadLayer]:
    return [_layer(content) for number, content in _fields(body) if number == 3]


def _layer(body: bytes) -> ReadLayer:
    layer = ReadLayer()
    raw: dict[int, list[Any]] = {}
    for number, content in _fields(body):
        raw.setdefault(number, []).append(content)
    layer.name = raw[1][0].decode()
    layer.version, layer.extent = raw[15][0], raw[5][0]
    keys = [key.decode() for key in raw.get(3, [])]
    values = [_value(value) for value in raw.get(4, [])]
    for content in raw.get(2, []):
        parts = dict(_fields(content))
        tags = list(_packed(parts[2]))
        properties = {
            keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)
        }
        assert parts[3] == 3
        layer.features.append(
            ReadFeature(parts[1], properties, list(_rings(list(_packed(parts[4])))))
        )
    return layer


def _rings(commands: list[int]) -> Iterator[list[Point]]:
    x = y = at = 0
    ring: list[Point] = []
    while at < len(commands):
        name, count = commands[at] & 7, commands[at] >> 3
        at += 1
        if name == 7:
            yield ring
            ring = []
            continue
        for _ in range(count):
            x += _signed(commands[at])
            y += _signed(commands[at + 1])
            at += 2
            ring.append((x, y))


def _signed(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def _value(body: bytes) -> Any:
    ((number, content),) = _fields(body)
    return content.decode() if number == 1 else content


def _fields(body: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(body):
        key, at = _varint(body, at)
        if key & 7 == 0:
            content, at = _varint(body, at)
            yield key >> 3, content
        elif key & 7 == 1:
            yield key >> 3, struct.unpack_from("<d", body, at)[0]
            at += 8
        else:
            length, at = _varint(body, at)
            yield key >> 3, body[at : at + length]
            at += length


def _packed(body: bytes) -> Iterator[int]:
    at = 0
    while at < len(body):
        number, at = _varint(body, at)
        yield number


def _varint(body: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (body[at] & 0x7F) << shift
        shift += 7
        at += 1
        if body[at - 1] < 0x80:
            return number, at
