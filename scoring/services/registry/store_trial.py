"""Loads an artifact where it can do no harm: a child process with little to waste.

It reads an order (one line of JSON) and the artifact from its input, has the
forecaster make a forecast and scenarios for the cells of a region, and prints what the
forecaster says of itself. A damaged artifact may end it in any way; its parent
lives on.
"""

import resource
import sys
from dataclasses import fields
from typing import Self

import msgspec
import numpy as np

from scoring.engine.aggregates import CellAggregates
from scoring.engine.artifacts import digest_of, load_artifact
from scoring.engine.forecasters import Forecaster
from scoring.engine.grid import Grid, build_grid
from scoring.engine.snapshots import RECENT_S, RecentEvents, Snapshot, take_snapshot
from scoring.engine.state import DAY_S, SCALES_S

REFUSED = 2
N_SCENARIOS = 20
RECORD_DAYS = 400
N_RECENT = 200


class Description(msgspec.Struct, forbid_unknown_fields=True):
    """What a forecaster says of itself."""

    kind: str
    horizon_s: float
    timezone: str
    fitted_from_s: float
    fitted_until_s: float
    n_events: int

    @classmethod
    def of(cls, forecaster: Forecaster) -> Self:
        return cls(
            kind=forecaster.kind,
            horizon_s=float(forecaster.horizon_s),
            timezone=forecaster.timezone,
            fitted_from_s=float(forecaster.fitted_from_s),
            fitted_until_s=float(forecaster.fitted_until_s),
            n_events=int(forecaster.n_events),
        )


class Order(msgspec.Struct):
    """For which cells to forecast, and what may be used up over it."""

    cells: list[int]
    cpu_s: int
    memory_bytes: int


def main() -> int:
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    artifact = sys.stdin.buffer.read()
    for what, most in (
        (resource.RLIMIT_AS, order.memory_bytes),
        (resource.RLIMIT_CPU, order.cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (most, most))
    try:
        forecaster = load_artifact(artifact, digest=digest_of(artifact))
        _forecast(forecaster, build_grid(np.array(order.cells, dtype=np.uint64)))
        sys.stdout.write(msgspec.json.encode(Description.of(forecaster)).decode())
    except Exception as error:  # noqa: BLE001 - a damaged artifact raises anything
        sys.stdout.write(f"{type(error).__name__}: {error}")
        return REFUSED
    return 0


def _forecast(forecaster: Forecaster, grid: Grid) -> None:
    """Do all that publishing does, on a record that is made up."""
    snapshot = _made_up_snapshot(forecaster, grid)
    risk = forecaster.distribution_at(snapshot)
    columns = (getattr(risk, column.name) for column in fields(risk))
    if not all(np.isfinite(column).all() for column in columns):
        raise ValueError("it forecasts numbers that are not finite")
    if risk.mean.shape != (len(grid),) or (risk.mean < 0).any():
        raise ValueError("it does not forecast one number of events a cell")
    forecaster.calibration.region_alpha(risk.mean)
    forecaster.scenarios(snapshot, n_scenarios=N_SCENARIOS, seed=0)


def _made_up_snapshot(forecaster: Forecaster, grid: Grid) -> Snapshot:
    rng = np.random.default_rng(0)
    n_cells, until_s = len(grid), float(forecaster.fitted_until_s)
    count = rng.poisson(5.0, n_cells).astype(np.float64)
    aggregates = CellAggregates(
        excitation=rng.gamma(0.5, size=(n_cells, len(SCALES_S))),
        count=count,
        count_1d=np.minimum(count, rng.poisson(0.1, n_cells)),
        count_7d=np.minimum(count, rng.poisson(0.5, n_cells)),
        count_28d=np.minimum(count, rng.poisson(2.0, n_cells)),
        last_occurred_s=np.where(count > 0, until_s - DAY_S, np.nan),
        observed_since_s=until_s - RECORD_DAYS * DAY_S,
    )
    recent = RecentEvents(
        cell_index=rng.integers(n_cells, size=N_RECENT),
        age_s=np.sort(rng.uniform(0.0, RECENT_S, size=N_RECENT))[::-1],
        weight=np.ones(N_RECENT),
    )
    zone = forecaster.timezone
    return take_snapshot(grid, aggregates, recent, until_s, timezone=zone)


if __name__ == "__main__":
    sys.exit(main())
