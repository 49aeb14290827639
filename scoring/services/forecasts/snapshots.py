"""Score chosen cells of a forecast, with joint scenarios."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from perf.cache.arrays import frozen
from perf.cache.memory import ByteCache
from perf.cache.shared_arrays import SharedArrays
from perf.deadlines import check_deadline
from riskplatform.kernel.errors import FieldFault
from scoring.arrays import ForecastColumns, named_arrays
from scoring.engine.correlation import matched_correlation
from scoring.engine.forecasters import FeatureModel
from scoring.engine.scenarios import SpatialCorrelation, factor_scenarios
from scoring.errors import FeaturesNotUsableError
from scoring.metrics import INFERENCE_CALLS, Inference
from scoring.models import Forecast
from scoring.selectors.events import refuse_unknown
from scoring.selectors.forecasts import get_columns
from scoring.selectors.regions import grid_of
from scoring.services.forecasts.publishing import load_forecaster

FeatureValues = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCells:
    """`columns` in the order given; `risk_values` (n_scenarios, n_cells)."""

    columns: ForecastColumns
    risk_values: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        arrays = [self.risk_values, *named_arrays(self.columns).values()]
        return sum(int(array.nbytes) for array in arrays)


# The draws over whole grids, for all processes of the machine.
DRAWS = SharedArrays("scenario_draws", schema=2)
# A draw of sixteen megabytes: 40,000 cells in 50 scenarios.
MOST_KEPT_VALUES = 2_000_000
# Of cells with features of their own. Responses are cached for all processes, so this
# is for who requests the same in another way.
PREDICTIONS = ByteCache[ScoredCells]("predictions", max_bytes=32 << 20)


def score_cells(
    forecast: Forecast,
    *,
    cells: Sequence[int],
    features: Sequence[FeatureValues | None],
    n_scenarios: int,
) -> ScoredCells:
    """Give the distributions of some cells and draw their joint scenarios.

    A cell has the same scenarios whatever else is requested. A cell with its
    own features is scored from them by the model version of the forecast.

    The draw of a whole grid is cached and only cut again, where it is small enough;
    what depends on the features of a request is cached whole.
    """
    columns = get_columns(forecast)
    ids = np.array(cells, dtype=np.uint64)
    rows = np.searchsorted(columns.cells, ids).clip(max=columns.cells.size - 1)
    unknown = np.flatnonzero(columns.cells[rows] != ids)
    refuse_unknown(unknown, cells, "this forecast", field="cells", member=("cell_id",))
    if all(given is None for given in features):
        return ScoredCells(
            columns=columns.take(rows),
            risk_values=_cached_draw(forecast, columns, rows, n_scenarios),
        )

    def score() -> ScoredCells:
        own = _with_own_features(forecast, columns, rows, features)
        risk_values = _drawn(forecast, own, n_scenarios, rows)
        # Requests share it.
        taken = ForecastColumns(**frozen(named_arrays(own.take(rows))))
        return ScoredCells(columns=taken, **frozen({"risk_values": risk_values}))

    # Written down so that the order of features makes no difference.
    written = [None if given is None else sorted(given.items()) for given in features]
    key = msgspec.msgpack.encode((forecast.pk, cells, written, n_scenarios))
    return PREDICTIONS.get_or_compute(key, score)


def _cached_draw(
    forecast: Forecast,
    columns: ForecastColumns,
    rows: NDArray[np.int64],
    n_scenarios: int,
) -> NDArray[np.float64]:
    """Cut the cells out of the cached draw; a large grid is drawn for them alone."""
    if columns.cells.size * n_scenarios > MOST_KEPT_VALUES:
        return _drawn(forecast, columns, n_scenarios, rows)
    draw = DRAWS.get_or_compute(
        (forecast.pk, n_scenarios),
        lambda: {"risk_values": _drawn(forecast, columns, n_scenarios)},
    )
    return draw["risk_values"][:, rows]


def _drawn(
    forecast: Forecast,
    columns: ForecastColumns,
    n_scenarios: int,
    rows: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    INFERENCE_CALLS.labels(Inference.SCENARIOS).inc()
    return factor_scenarios(
        columns,
        n_scenarios=n_scenarios,
        # Of the forecast, so that a repetition gives the same draw.
        seed=forecast.pk.int % 2**63,
        correlation=matched_correlation(
            grid_of(columns.cells),
            columns,
            region_alpha=forecast.region_alpha,
            spatial=SpatialCorrelation(range_km=forecast.correlation_range_km),
        ),
        rows=rows,
        on_block=check_deadline,
    )


def _with_own_features(
    forecast: Forecast,
    columns: ForecastColumns,
    rows: NDArray[np.int64],
    features: Sequence[FeatureValues | None],
) -> ForecastColumns:
    own = [index for index, given in enumerate(features) if given is not None]
    forecaster = load_forecaster(forecast.model_version, forecast.horizon_sec)
    if not isinstance(forecaster.model, FeatureModel):
        raise FeaturesNotUsableError(
            f"{forecast.model_version} forecasts from the events of the region, not "
            "from features. Leave the features out."
        )
    matrix = np.array(
        [
            _feature_row(features[index] or {}, forecaster.feature_names, index)
            for index in own
        ]
    )
    INFERENCE_CALLS.labels(Inference.DISTRIBUTION).inc()
    return columns.replaced(rows[own], forecaster.distribution(matrix))


def _feature_row(given: FeatureValues, names: Sequence[str], index: int) -> list[float]:
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    if missing or unknown:
        raise FeaturesNotUsableError(
            "The features are not those of the model version.",
            faults=[
                FieldFault(
                    ("cells", index, "features"),
                    f"missing: {missing}, unknown: {unknown}",
                )
            ],
        )
    return [given[name] for name in names]
