"""New requests that only the platform answers, against plain Django."""

from collections.abc import Callable, Iterator
from itertools import count, cycle

import numpy as np

from perf.bench.client import WebRequest
from scoring.bench.city import BenchmarkCity
from scoring.bench.inference_cache import store_fitted_model
from scoring.bench.place import SEED
from scoring.horizons import DAY_S

N_CELLS = 20
LONGEST_PAGE = 20

Requests = Callable[[BenchmarkCity], Iterator[WebRequest]]


def scores_of_own_features(city: BenchmarkCity) -> Iterator[WebRequest]:
    """Give every cell other features each time."""
    names = store_fitted_model(city.place).feature_names
    rng = np.random.default_rng(SEED)
    n_cells = min(N_CELLS, len(city.place.grid.cells) - 1)
    while True:
        cells = rng.choice(city.place.grid.cells, n_cells, replace=False)
        features = rng.normal(size=(n_cells, len(names))).round(4).tolist()
        given = [dict(zip(names, row, strict=True)) for row in features]
        yield city.snapshot(cells.tolist(), features=given)


def assessments(city: BenchmarkCity) -> Iterator[WebRequest]:
    """Ask for other quantiles each time; they have five decimals."""
    portfolios = cycle(city.portfolios)
    for number in count():
        quantile = round(0.6 + number % 30_000 / 1e5, 5)
        yield city.assess(next(portfolios), DAY_S, [quantile, 0.995])


def portfolio_lists(city: BenchmarkCity) -> Iterator[WebRequest]:
    for number in count():
        yield city.portfolio_list(limit=1 + number % LONGEST_PAGE)


# With the most requests a second that either side answers, and the target.
KINDS: dict[str, tuple[Requests, int, float]] = {
    "score 20 cells with features of their own": (scores_of_own_features, 1_000, 1.2),
    "assess, new quantiles": (assessments, 400, 1.2),
    "list of portfolios": (portfolio_lists, 4_000, 2.0),
}
