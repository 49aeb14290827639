"""What the API's renderer saves against the one Django REST framework brings."""

from collections.abc import Iterator
from typing import Any

from rest_framework.renderers import JSONRenderer

from perf.bench.checks import same_json
from perf.bench.measurement import AnyMeasurement, Comparison
from perf.bench.registry import suite
from riskplatform.api.renderers import JsonRenderer

FIRST_KEY = 0x8826_6400_0000_0000


@suite("rendering")
def rendering() -> Iterator[AnyMeasurement]:
    """JSON answers: the framework's renderer (before), msgspec (after)."""
    yield _render_rows(20_000, calls=1)
    yield _render_rows(100, calls=100)


def _render_rows(row_count: int, *, calls: int) -> AnyMeasurement:
    rows = [_make_row(number) for number in range(row_count)]
    before, after = JSONRenderer(), JsonRenderer()
    return Comparison(
        name=f"{row_count:,} rows",
        before=lambda: before.render(rows),
        after=lambda: after.render(rows),
        check=same_json,
        target_ratio=8.0,
        calls=calls,
        single_core=True,
    )


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
