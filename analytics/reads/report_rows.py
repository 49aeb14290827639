"""The columns of a report as rows for people and programs."""

import math
from collections.abc import Iterator
from typing import Any

from analytics.reads.reports import QUANTILES
from analytics.store.clickhouse import Columns, from_milliseconds

QUANTILE_NAMES = tuple(f"q{quantile * 100:g}" for quantile in QUANTILES)


def rows_of(columns: Columns) -> Iterator[dict[str, Any]]:
    """Make one mapping a row; what is not known, such as no mean, is None."""
    lists = (values.tolist() for values in columns.values())
    for values in zip(*lists, strict=True):
        yield _row(dict(zip(columns, values, strict=True)))


def _row(values: dict[str, Any]) -> dict[str, Any]:
    if "hour_ms" in values:
        hour = from_milliseconds(values.pop("hour_ms"))
        return {"hour": hour.isoformat(), **values}
    if "cell" in values:
        cell = values.pop("cell")
        return {"cell_id": cell, "cell_hex": f"{cell:x}", **values}
    if "day" in values:
        return {**values, "day": values["day"].isoformat()}
    quantiles = dict(zip(QUANTILE_NAMES, values.pop("severity_quantiles"), strict=True))
    return {name: _known(value) for name, value in {**values, **quantiles}.items()}


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
