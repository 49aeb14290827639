"""A city for requests over HTTP: events, forecasts, insured portfolios, and a key."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from perf.bench.run_limits import is_quick_run
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.services import issue_key
from scoring.bench.mix import Questions
from scoring.bench.place import make_portfolio, own_events, own_place, publish


@dataclass(frozen=True, slots=True, kw_only=True)
class CitySize:
    n_cells: int
    n_scenarios: int
    n_portfolios: int
    n_assets: int
    n_events: int


FULL = CitySize(
    n_cells=1_500, n_scenarios=10_000, n_portfolios=20, n_assets=500, n_events=50_000
)
# Enough to see it work.
SMALL = CitySize(
    n_cells=200, n_scenarios=500, n_portfolios=3, n_assets=50, n_events=1_000
)


@contextmanager
def own_city() -> Generator[Questions]:
    """Make a city with the forecasts of yesterday, and take it away again."""
    size = SMALL if is_quick_run() else FULL
    now = timezone.now()
    yesterday = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    with (
        own_place(n_cells=size.n_cells) as place,
        own_events(place, count=size.n_events, until=now),
    ):
        day, _week = (
            publish(
                place, days=days, n_scenarios=size.n_scenarios, issued_for=yesterday
            )
            for days in (1, 7)
        )
        issued = issue_key(
            place.organisation,
            name="benchmark",
            scopes=[Scope.SCORES_READ, Scope.PORTFOLIOS_READ],
        )
        yield Questions(
            place=place,
            forecast=day,
            portfolios=[
                make_portfolio(place, f"p{number}", size.n_assets, has_terms=True)
                for number in range(size.n_portfolios)
            ],
            key=issued.text.text,
        )
