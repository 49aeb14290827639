"""The dashboard of a portfolio: its parts are read at once and may fail one by one."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from perf.concurrency import Outcome, gather_bounded
from riskplatform.api.keys.access import Access
from scoring.models import Portfolio, Region
from scoring.selectors.portfolio_dashboard import (
    Cells,
    DashboardPart,
    read_alerts,
    read_events,
    read_risk,
)

TIMEFRAMES: Final = {
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
DEADLINE_S = 5.0


def read_dashboard(
    portfolio: Portfolio,
    cells: Mapping[Region, Cells],
    *,
    access: Access,
    span: timedelta,
    until: datetime,
) -> dict[str, Outcome[DashboardPart[Any]]]:
    """Read the parts side by side; the value of each is a `DashboardPart`.

    `cells` are those with assets of each region, as `asset_cells` gives them; only
    what is about regions that `access` sees is told.
    """
    since = until - span
    span_s = int(span.total_seconds())
    risk = partial(read_risk, portfolio, cells, access)
    parts: dict[str, Callable[[], DashboardPart[Any]]] = {
        "metrics": partial(risk, span_s=span_s, until=until),
        "events": partial(read_events, cells, since=since, until=until),
        "alerts": partial(read_alerts, portfolio, access, since=since),
    }
    return gather_bounded(parts, deadline_s=DEADLINE_S)
