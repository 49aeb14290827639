"""Requests never sent before; `manage.py benchmark --suite misses` runs it.

The platform is held against services that users would write themselves: FastAPI, with
the forecast and its scenarios in memory. Both sides get other requests each round, so
no response is cached, and have to give the same figures. Needs the extra `peers`.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import h3.api.numpy_int as h3
import msgspec
import numpy as np
import orjson

from perf.bench.client import WebRequest, check_success, connected
from perf.bench.errors import BenchmarkError
from perf.bench.load import REQUESTS_PER_S, Load, LoadResult, put_under_load
from perf.bench.machine import measured_core, other_core, pinned_to
from perf.bench.measurement import AnyMeasurement, Measurement
from perf.bench.registry import registry
from perf.bench.runner import is_quick_run
from perf.bench.web_pair import OPTIMISED, OVER_LOOPBACK, PLAIN
from perf.bench.web_process import ASGI_SERVER, web_process
from scoring.api.score_snapshot import SnapshotRequest, zones_as_json
from scoring.bench.city import SNAPSHOT_SCENARIOS, BenchmarkCity, own_city
from scoring.bench.own_requests import KINDS
from scoring.bench.place import SEED
from scoring.horizons import DAY_S
from scoring.selectors.forecasts import get_columns
from scoring.services.forecasts.snapshots import score_cells

CONNECTIONS, MOST_CONNECTIONS = 16, 64
# The slowest side answers some eight requests a second.
LOAD_S, QUICK_LOAD_S = 4, 2
COMPARED = 5
HEAD = (
    *("region", "forecast_id", "model_version", "time", "horizon_sec"),
    "raised_from_shorter_horizon",
)
# More requests a second than either side answers: none is sent twice.
MOST_PER_S = {
    "score 20 cells": 4_000,
    "score 500 cells": 1_000,
    "risk map as JSON": 6_000,
    "risk map as GeoJSON": 6_000,
}
# In degrees from the middle of a map to its edges.
MAP_SIZES = (0.02, 0.06)
LOOP = "score 20 cells, the function in a loop"
# Of what the function alone does, and of the load with fewer connections.
LOOP_TARGET, CROWD_TARGET = 0.6, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A service of others, and how many times its throughput is to be reached."""

    title: str
    application: str
    targets: dict[str, float]


PEERS = (
    Peer(
        title="FastAPI with pydantic",
        application="perf.bench.peers.fastapi_idiomatic:application",
        targets=dict(zip(MOST_PER_S, (4.0, 15.0, 2.0, 2.0), strict=True)),
    ),
    Peer(
        title="FastAPI with msgspec and orjson",
        application="perf.bench.peers.fastapi_tuned:application",
        targets=dict.fromkeys(MOST_PER_S, 1.2),
    ),
)


@registry.suite("misses")
def misses() -> Iterator[AnyMeasurement]:
    """Requests never sent before: FastAPI services (before), the platform."""
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
        streams = {
            "score 20 cells": _new_snapshots(city, 20),
            "score 500 cells": _new_snapshots(city, 500),
            "risk map as JSON": _new_maps(city, "json"),
            "risk map as GeoJSON": _new_maps(city, "geojson"),
        }
        for peer in PEERS:
            with web_process(
                peer.application,
                environment=environment,
                core=core,
                server=ASGI_SERVER,
            ) as theirs:
                for kind, target in peer.targets.items():
                    requests, most_per_s = streams[kind], MOST_PER_S[kind]
                    _compare(theirs, ours, list(islice(requests, COMPARED)))
                    yield _measurement(
                        name=f"{kind}, {peer.title}",
                        before=partial(_send_new, theirs, requests, most_per_s),
                        after=partial(_send_new, ours, requests, most_per_s),
                        target=target,
                    )
        yield from _limits_of_its_own(city, ours, streams)
        with web_process(environment=PLAIN | OVER_LOOPBACK, core=core) as plain:
            yield from _against_plain_django(city, plain, ours)


def _limits_of_its_own(
    city: BenchmarkCity, ours: int, streams: dict[str, Iterator[WebRequest]]
) -> Iterator[AnyMeasurement]:
    kind = "score 20 cells"
    send = partial(_send_new, ours, streams[kind], MOST_PER_S[kind])
    yield _measurement(
        name=LOOP,
        before=partial(_in_a_loop, city, streams[kind]),
        after=send,
        target=LOOP_TARGET,
    )
    # A request that is refused ends the benchmark.
    yield _measurement(
        name=f"{kind}, {MOST_CONNECTIONS} connections instead of {CONNECTIONS}",
        before=send,
        after=partial(send, connections=MOST_CONNECTIONS),
        target=CROWD_TARGET,
    )


def _against_plain_django(
    city: BenchmarkCity, plain: int, ours: int
) -> Iterator[AnyMeasurement]:
    for kind, (stream_of, most_per_s, target) in KINDS.items():
        requests = stream_of(city)
        yield _measurement(
            name=f"{kind}, plain Django",
            before=partial(_send_new, plain, requests, most_per_s),
            after=partial(_send_new, ours, requests, most_per_s),
            target=target,
        )


def _measurement(
    *,
    name: str,
    before: Callable[[], LoadResult],
    after: Callable[[], LoadResult],
    target: float,
) -> Measurement[LoadResult]:
    return Measurement(
        name=name,
        before=before,
        after=after,
        meter=REQUESTS_PER_S,
        check=lambda *_: True,
        target=target,
        warmups=0 if is_quick_run() else 1,
        repeats=3,
        time_limit_s=40.0 * _load_s(),
    )


def _load_s() -> int:
    return QUICK_LOAD_S if is_quick_run() else LOAD_S


def _send_new(
    port: int,
    requests: Iterator[WebRequest],
    most_per_s: int,
    *,
    connections: int = CONNECTIONS,
) -> LoadResult:
    seconds = _load_s()
    fresh = list(islice(requests, most_per_s * seconds))
    load = Load(
        requests=fresh, connections=connections, seconds=seconds, core=other_core()
    )
    result = put_under_load(port, load)
    if not result.is_clean or result.requests > len(fresh):
        raise BenchmarkError(
            f"{result.errors} of {result.requests} requests failed; there were "
            f"{len(fresh)} different ones."
        )
    return result


def _in_a_loop(city: BenchmarkCity, requests: Iterator[WebRequest]) -> LoadResult:
    """Read, score and write as a script would, with no server and no cache."""
    seconds = _load_s()
    fresh = [request.body for request in islice(requests, 20_000)]
    started_s, count = time.perf_counter(), 0
    with pinned_to(measured_core()):
        while time.perf_counter() - started_s < seconds:
            body = msgspec.json.decode(fresh[count % len(fresh)], type=SnapshotRequest)
            cells = [int(cell.cell_id or 0) for cell in body.cells]
            scored = score_cells(
                city.forecast,
                cells=cells,
                features=[None] * len(cells),
                n_scenarios=body.n_scenarios,
            )
            b",".join(zones_as_json(scored.columns, scored.risk_values))
            count += 1
    taken_s = time.perf_counter() - started_s
    each_ms = 1e3 * taken_s / count
    return LoadResult(
        requests=count,
        seconds=taken_s,
        errors=0,
        p50_ms=each_ms,
        p95_ms=each_ms,
        p99_ms=each_ms,
    )


def _new_maps(city: BenchmarkCity, form: str) -> Iterator[WebRequest]:
    """Ask for maps around other points each time."""
    rng = np.random.default_rng(SEED)
    cells = city.place.grid.cells
    while True:
        lat, lon = h3.cell_to_latlng(rng.choice(cells))
        up, right = rng.uniform(*MAP_SIZES, size=2)
        edges = (lon - right, lat - up, lon + right, lat + up)
        bbox = ",".join(f"{edge:.6f}" for edge in edges)
        request = city.of_region("risk-map", horizon_sec=DAY_S, bbox=bbox, format=form)
        yield _uncompressed(request)


def _uncompressed(request: WebRequest) -> WebRequest:
    """The services of others do not compress."""
    return replace(request, headers={**request.headers, "Accept-Encoding": "identity"})


def _new_snapshots(city: BenchmarkCity, n_cells: int) -> Iterator[WebRequest]:
    """Ask for the scores of other cells each time."""
    rng = np.random.default_rng(SEED + n_cells)
    cells = city.place.grid.cells
    while True:
        chosen = rng.choice(cells, min(n_cells, len(cells) - 1), replace=False)
        yield _uncompressed(city.snapshot(chosen.tolist()))


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
