"""Requests at the maximum of the schema: whatever their cost is a product of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tests.attacks.request_bodies import (
    MAX_CELLS,
    MAX_SCENARIOS,
    TIME,
    assets,
    batch,
    bomb,
    empty_rows_array,
    lines_of_nothing,
    question,
    repeated_cell,
    ring_of_cells,
    rule,
    small_events_array,
    snapshot,
    wide_csv,
    windows,
)
from tests.support.webs import Platform

MAX_ROWS_OF_A_PAGE: Final = 1_000
# A tile in which all cells of the widest region lie, large enough to be drawn.
WIDE_TILE: Final = "6/16/23"
CSV: Final = {"Content-Type": "text/csv"}
GZIPPED_CSV: Final = {**CSV, "Content-Encoding": "gzip"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A request, and the statuses that answer it rightly; `key`: it shows one.

    Those of one area ask one process, which is fresh for them. Where `asked_s` is
    given the request asks for a deadline of its own.
    """

    area: str
    name: str
    path: str
    method: str = "GET"
    body: Callable[[Platform], bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    key: bool = True
    statuses: frozenset[int] = frozenset({200})
    deadline_s: float = 30.0
    asked_s: float | None = None

    @property
    def most_s(self) -> float:
        return 2.0 * min(self.deadline_s, self.asked_s or self.deadline_s)


REFUSED: Final = frozenset({422})
FIRST_DAY = "from=2023-12-01T00:00:00Z&to=2024-06-01T00:00:00Z"


ATTACKS: Final = (
    Attack(
        area="scores",
        name="one cell 20,000 times",
        method="POST",
        path="score-snapshot",
        body=repeated_cell,
        key=False,
        statuses=REFUSED,
    ),
    Attack(
        area="scores",
        name="one cell in every scenario",
        method="POST",
        path="score-snapshot",
        body=partial(snapshot, n_cells=1, n_scenarios=MAX_SCENARIOS),
        key=False,
    ),
    Attack(
        area="scores",
        name="every cell in every scenario, anonymous",
        method="POST",
        path="score-snapshot",
        body=partial(snapshot, n_cells=MAX_CELLS, n_scenarios=MAX_SCENARIOS),
        key=False,
        statuses=REFUSED,
    ),
    Attack(
        area="scores",
        name="every cell in every scenario",
        method="POST",
        path="score-snapshot",
        body=partial(snapshot, n_cells=MAX_CELLS, n_scenarios=MAX_SCENARIOS),
        statuses=REFUSED,
    ),
    Attack(
        area="scores",
        name="as many values as a key may have",
        method="POST",
        path="score-snapshot",
        body=partial(snapshot, n_cells=1_000, n_scenarios=MAX_SCENARIOS),
    ),
    Attack(
        area="scores",
        name="20,000 cells in 50 scenarios",
        method="POST",
        path="score-snapshot",
        body=partial(snapshot, n_cells=MAX_CELLS, n_scenarios=50),
    ),
    Attack(
        area="scores",
        name="features of a region",
        path=f"features/snapshot?region=large&time={TIME}",
    ),
    Attack(
        area="scores",
        name="every cell in every window",
        method="POST",
        path="features/build-window",
        body=partial(windows, n_cells=MAX_CELLS),
        statuses=REFUSED,
    ),
    Attack(
        area="scores",
        name="as many rows of windows as a key may have",
        method="POST",
        path="features/build-window",
        body=partial(windows, n_cells=5_000),
    ),
    *(
        Attack(
            area="maps",
            name=f"risk map as {form}",
            path=f"risk-map?region=wide&format={form}",
            key=False,
        )
        for form in ("json", "geojson", "csv", "arrow")
    ),
    Attack(
        area="maps",
        name="tile of every cell",
        path=f"risk-map/tiles/{WIDE_TILE}.mvt?region=wide",
        key=False,
    ),
    Attack(
        area="maps",
        name="tile of the world",
        path="risk-map/tiles/0/0/0.mvt?region=wide",
        key=False,
        statuses=frozenset({204}),
    ),
    Attack(area="maps", name="cells", path="regions/wide/cells", key=False),
    Attack(
        area="maps",
        name="cells drawn",
        path="regions/wide/cells?format=geojson",
        key=False,
    ),
    Attack(
        area="events",
        name="events of a megabyte",
        path=f"events?region=large&limit={MAX_ROWS_OF_A_PAGE}&{FIRST_DAY}",
        deadline_s=300,
    ),
    *(
        Attack(
            area="exports",
            name=f"export of events of a megabyte as {form}",
            path=f"events/export?region=large&format={form}&{FIRST_DAY}",
            deadline_s=300,
        )
        for form in ("csv", "arrow", "parquet")
    ),
    Attack(
        area="events",
        name="hours by type",
        path="reports/hourly-counts?region=typed&from=2024-01-01&to=2024-04-01",
    ),
    Attack(
        area="events",
        name="neighbourhoods",
        path="reports/neighbourhood-counts?region=large&from=1970-01-01&to=2026-01-01"
        f"&rings=10&cells={ring_of_cells()}",
    ),
    Attack(
        area="events",
        name="top cells",
        path="reports/top-cells?region=large&from=1970-01-01&to=2026-01-01&limit=1000",
    ),
    Attack(
        area="assessments",
        name="assessment of every quantile",
        method="POST",
        path="assess/{portfolio}",
        body=question,
    ),
    Attack(
        area="assessments",
        name="batch of every quantile",
        method="POST",
        path="assess/batch",
        body=batch,
        deadline_s=120,
    ),
    Attack(
        area="assessments",
        name="assets",
        path=f"portfolios/{{portfolio}}/assets?limit={MAX_ROWS_OF_A_PAGE}",
    ),
    Attack(
        area="writes",
        name="import of assets",
        method="POST",
        path="portfolios/{portfolio}/assets/import",
        body=assets,
        headers=GZIPPED_CSV,
        statuses=frozenset({201, 503}),
        asked_s=10,
    ),
    Attack(
        area="pages",
        name="rule of every cell",
        method="POST",
        path="alert-rules",
        body=rule,
        statuses=frozenset({201}),
    ),
    *(
        Attack(
            area="pages",
            name=f"page of {name}",
            path=f"{name}?limit={MAX_ROWS_OF_A_PAGE}",
        )
        for name in ("alert-rules", "jobs", "alerts", "models", "forecasts")
    ),
    Attack(area="pages", name="metrics", path=f"metrics?limit={MAX_ROWS_OF_A_PAGE}"),
    Attack(area="pages", name="dashboard", path="dashboard/{portfolio}?timeframe=30d"),
    Attack(
        area="writes",
        name="array of what are no events",
        method="POST",
        path="events",
        body=empty_rows_array,
        statuses=frozenset({413, 503}),
        asked_s=5,
    ),
    Attack(
        area="writes",
        name="array of small events",
        method="POST",
        path="events",
        body=small_events_array,
        statuses=frozenset({202, 503}),
        asked_s=5,
    ),
    Attack(
        area="writes",
        name="lines of what are no events",
        method="POST",
        path="events",
        body=lines_of_nothing,
        headers={
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
        },
        statuses=frozenset({422, 503}),
        asked_s=5,
    ),
    Attack(
        area="writes",
        name="rows of a hundred attributes",
        method="POST",
        path="events",
        body=wide_csv,
        headers=GZIPPED_CSV,
        statuses=frozenset({202}),
        deadline_s=300,
    ),
    Attack(
        area="writes",
        name="a line that unpacks to 128 MB",
        method="POST",
        path="events",
        body=bomb,
        headers=GZIPPED_CSV,
        statuses=frozenset({202, 400, 413, 422}),
        deadline_s=300,
    ),
)
