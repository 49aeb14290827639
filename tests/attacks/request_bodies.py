"""The bodies of requests at the maximum of the schema."""

import gzip
import json
from typing import Any, Final

import h3.api.basic_int as h3

from tests.support.factories import CENTRE, DAY_S
from tests.support.webs import Platform

TIME: Final = "2024-06-01T00:00:00Z"
MAX_CELLS: Final = 20_000
MAX_SCENARIOS: Final = 1_000
QUANTILES: Final = [round(0.9 + number / 250, 6) for number in range(20)]


def snapshot(platform: Platform, *, n_cells: int, n_scenarios: int) -> bytes:
    cells = platform.seeds["cells"][:n_cells]
    return _snapshot(cells, n_scenarios)


def repeated_cell(platform: Platform) -> bytes:
    return _snapshot(platform.seeds["cells"][:1] * MAX_CELLS, MAX_SCENARIOS)


def windows(platform: Platform, *, n_cells: int) -> bytes:
    return _json(
        region="large",
        time=TIME,
        cell_ids=platform.seeds["cells"][:n_cells],
        window_sizes_sec=[DAY_S * (number + 1) for number in range(20)],
    )


def question(_: Platform) -> bytes:
    return _json(region="large", quantiles=QUANTILES)


def batch(platform: Platform) -> bytes:
    return _json(
        region="large",
        quantiles=QUANTILES,
        portfolio_ids=platform.seeds["portfolios"],
    )


def rule(platform: Platform) -> bytes:
    return _json(
        name="All of it",
        region="large",
        horizon_sec=DAY_S,
        metric="p_event",
        threshold=0.9,
        cells=platform.seeds["cells"],
    )


def assets(_: Platform) -> bytes:
    """Write as many rows as a file may have, all of one place, packed."""
    lat, lon = CENTRE
    rows = (f"asset-{number},{lat},{lon},1000\n" for number in range(250_000))
    return gzip.compress(("id,lat,lon,value\n" + "".join(rows)).encode(), 1)


def empty_rows_array(_: Platform) -> bytes:
    return b"[" + b"1," * ((1 << 23) - 2) + b"1]"


def small_events_array(_: Platform) -> bytes:
    return b"[" + b'{"external_id":"a"},' * 800_000 + b'{"external_id":"a"}]'


def lines_of_nothing(_: Platform) -> bytes:
    return gzip.compress(b"1\n" * 400_000, 1)


def wide_csv(_: Platform) -> bytes:
    """Write rows of a hundred attributes each, which pack to little."""
    names = ",".join(f"attributes.a{number}" for number in range(90))
    row = "x,2024-01-01T00:00:00Z,41.85,-87.68," + ",".join(["y" * 100] * 90) + "\n"
    head = f"external_id,occurred_at,lat,lon,{names}\n"
    return gzip.compress((head + row * 3_000).encode(), 1)


def bomb(_: Platform) -> bytes:
    return gzip.compress(b"external_id\n" + b"a" * (1 << 27), 9)


def ring_of_cells() -> str:
    """As many cells as the query of a report may name."""
    cells = h3.grid_disk(h3.latlng_to_cell(*CENTRE, 8), 18)
    return ",".join(f"{cell:x}" for cell in cells[:1_200])


def _snapshot(cells: list[int], n_scenarios: int) -> bytes:
    return _json(
        region="large",
        time=TIME,
        horizon_sec=DAY_S,
        cells=[{"cell_id": cell} for cell in cells],
        n_scenarios=n_scenarios,
    )


def _json(**members: Any) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()
