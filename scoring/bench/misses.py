"""Requests never sent before; `manage.py benchmark --suite misses` runs it.

The platform is held against services that users would write themselves: FastAPI, with
the forecast and its scenarios in memory. Both sides get other requests each round, so
no response is cached, and have to give the same figures. Needs the extra `peers`.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson

from perf.bench.client import WebRequest, check_success, connected
from perf.bench.errors import BenchmarkError
from perf.bench.load import REQUESTS_PER_S, Load, LoadResult, put_under_load
from perf.bench.machine import measured_core, other_core
from perf.bench.measurement import AnyMeasurement, Measurement
from perf.bench.registry import registry
from perf.bench.runner import is_quick_run
from perf.bench.web_pair import OPTIMISED, OVER_LOOPBACK
from perf.bench.web_process import ASGI_SERVER, web_process
from scoring.bench.city import SNAPSHOT_SCENARIOS, BenchmarkCity, own_city
from scoring.bench.place import SEED
from scoring.selectors.forecasts import get_columns
from scoring.services.forecasts.snapshots import score_cells

CONNECTIONS = 16
# The slowest side answers some eight requests a second.
LOAD_S, QUICK_LOAD_S = 4, 3
COMPARED = 5
HEAD = ("region", "forecast_id", "model_version", "time", "horizon_sec")
# More requests a second than either side answers: none is sent twice.
MOST_PER_S = {20: 3_000, 500: 500}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A service of others, and how many times its throughput is to be reached."""

    title: str
    application: str
    targets: dict[int, float]


PEERS = (
    Peer(
        title="FastAPI with pydantic",
        application="perf.bench.peers.fastapi_idiomatic:application",
        targets={20: 4.0, 500: 15.0},
    ),
    Peer(
        title="FastAPI with msgspec and orjson",
        application="perf.bench.peers.fastapi_tuned:application",
        targets={20: 1.2, 500: 1.2},
    ),
)


@registry.suite("misses")
def misses() -> Iterator[AnyMeasurement]:
    """Scores never asked for before: FastAPI services (before), the platform."""
    if find_spec("fastapi") is None:
        raise BenchmarkError(
            "The suite misses compares with FastAPI, which is not installed. "
            "Install the extra: pip install 'riskplatform[peers]'."
        )
    core = measured_core()
    with (
        own_city() as city,
        web_process(environment=OPTIMISED | OVER_LOOPBACK, core=core) as ours,
        _forecast_in_a_file(city, ours) as environment,
    ):
        # One stream for all peers: what the platform has answered once is cached.
        streams = {n_cells: _new_snapshots(city, n_cells) for n_cells in MOST_PER_S}
        for peer in PEERS:
            with web_process(
                peer.application,
                environment=environment,
                core=core,
                server=ASGI_SERVER,
            ) as theirs:
                for n_cells, target in peer.targets.items():
                    requests = streams[n_cells]
                    _compare(theirs, ours, list(islice(requests, COMPARED)))
                    yield _measurement(
                        (theirs, ours),
                        requests,
                        name=f"score {n_cells} cells, {peer.title}",
                        most=MOST_PER_S[n_cells],
                        target=target,
                    )


def _measurement(
    ports: tuple[int, int],
    requests: Iterator[WebRequest],
    *,
    name: str,
    most: int,
    target: float,
) -> Measurement[LoadResult]:
    seconds = QUICK_LOAD_S if is_quick_run() else LOAD_S

    def send(port: int) -> LoadResult:
        fresh = list(islice(requests, most * seconds))
        load = Load(
            requests=fresh, connections=CONNECTIONS, seconds=seconds, core=other_core()
        )
        result = put_under_load(port, load)
        if not result.is_clean or result.requests > len(fresh):
            raise BenchmarkError(
                f"{result.errors} of {result.requests} requests failed; there were "
                f"{len(fresh)} different ones."
            )
        return result

    return Measurement(
        name=name,
        before=lambda: send(ports[0]),
        after=lambda: send(ports[1]),
        meter=REQUESTS_PER_S,
        check=lambda *_: True,
        target=target,
        repeats=3,
        time_limit_s=40.0 * seconds,
    )


def _new_snapshots(city: BenchmarkCity, n_cells: int) -> Iterator[WebRequest]:
    """Ask for the scores of other cells each time, without compression.

    The services of others do not compress.
    """
    rng = np.random.default_rng(SEED + n_cells)
    cells = city.place.grid.cells
    while True:
        chosen = rng.choice(cells, min(n_cells, len(cells) - 1), replace=False)
        request = city.snapshot(chosen.tolist())
        headers = {**request.headers, "Accept-Encoding": "identity"}
        yield replace(request, headers=headers)


@contextmanager
def _forecast_in_a_file(city: BenchmarkCity, ours: int) -> Generator[dict[str, str]]:
    """Write down what a service has to know of the forecast."""
    columns = get_columns(city.forecast)
    drawn = score_cells(
        city.forecast,
        cells=columns.cells.tolist(),
        features=[None] * columns.cells.size,
        n_scenarios=SNAPSHOT_SCENARIOS,
    )
    with connected(ours) as send:
        response = send(city.snapshot(columns.cells[:1].tolist()))
        check_success(response)
    answer = orjson.loads(response.body)
    head = {name: answer[name] for name in HEAD}
    with TemporaryDirectory(prefix="riskplatform-peer-") as folder:
        path = Path(folder) / "forecast.npz"
        np.savez(
            path,
            allow_pickle=False,
            cells=columns.cells,
            p_event=columns.p_event,
            q05=columns.q05,
            q50=columns.q50,
            q95=columns.q95,
            draw=drawn.risk_values,
        )
        yield {"PEER_FORECAST": str(path), "PEER_HEAD": orjson.dumps(head).decode()}


def _compare(theirs: int, ours: int, requests: list[WebRequest]) -> None:
    with connected(theirs) as ask_them, connected(ours) as ask_us:
        for request in requests:
            expected, found = ask_them(request), ask_us(request)
            check_success(expected, found)
            if orjson.loads(expected.body) != orjson.loads(found.body):
                raise BenchmarkError(f"{request.path} is answered differently.")
