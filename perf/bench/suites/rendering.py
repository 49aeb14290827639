"""What the API's renderer saves against the one Django REST framework brings."""

from collections.abc import Iterator
from typing import Any

import orjson
from rest_framework.renderers import JSONRenderer

from perf.bench.measurement import AnyMeasurement, Measurement
from perf.bench.registry import registry
from riskplatform.api.renderers import JsonRenderer

FIRST_KEY = 0x8826_6400_0000_0000


@registry.suite("rendering")
def rendering() -> Iterator[AnyMeasurement]:
    """JSON answers: the framework's renderer (before), msgspec (after)."""
    yield _render_rows(20_000, calls=1)
    yield _render_rows(100, calls=100)


def _render_rows(row_count: int, *, calls: int) -> AnyMeasurement:
    rows = [_make_row(number) for number in range(row_count)]
    before, after = JSONRenderer(), JsonRenderer()
    return Measurement(
        name=f"{row_count:,} rows",
        before=lambda: before.render(rows),
        after=lambda: after.render(rows),
        check=same_json,
        target=8.0,
        calls=calls,
        single_core=True,
    )


def same_json(before: bytes, after: bytes) -> bool:
    """Compare documents by what they say, whatever their spacing and key order."""
    parsed: Any = orjson.loads(before)
    return bool(parsed == orjson.loads(after))


def _make_row(number: int) -> dict[str, Any]:
    """Every kind of value that a serializer hands to a renderer."""
    key = FIRST_KEY + number
    return {
        "id": key,
        "hex": f"{key:x}",
        "name": f"Zażółć “{number}” \\ / \u2028",
        "mean": number / 7,
        "small": 1e-9 * number,
        "interval": [number / 11, number / 3],
        "is_open": number % 2 == 0,
        "parent": None,
        "updated_at": "2026-01-31T23:59:59.123456Z",
    }
