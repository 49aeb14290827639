"""The API over HTTP; `manage.py benchmark --suite http,cache` runs it.

Two real web processes, one plain Django and one with every optimisation, are sent the
same requests in turn and have to give the same responses.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from perf.bench.client import WebRequest, WebResponse, check_success, connected
from perf.bench.errors import BenchmarkError
from perf.bench.machine import measured_core
from perf.bench.measurement import AnyMeasurement
from perf.bench.registry import registry
from perf.bench.web_pair import (
    WebPair,
    compare_latency,
    compare_load,
    plain_and_optimised,
)
from perf.bench.web_process import web_process
from scoring.bench.city import (
    QUANTILES,
    BenchmarkCity,
    draw_mix,
    own_city,
    variants_of,
)
from scoring.bench.place import draw
from scoring.horizons import DAY_S

BARE = "perf.bench.peers.bare_wsgi:application"
COPIED_HEADERS = ("content-type", "content-encoding")
NOT_CACHED = frozenset({"miss", "bypass"})
MIX_LENGTH = 500
LOAD_RATIO = 10.0
NEW_ASSESSMENTS, NEW_DASHBOARDS = 5, 10
STEP = timedelta(minutes=7)


@registry.suite("http")
def http() -> Iterator[AnyMeasurement]:
    """The API over HTTP: plain Django (before), all optimisations (after)."""
    with own_city() as city, plain_and_optimised() as webs:
        variants = variants_of(city)
        loads = {"mix": draw_mix(variants, MIX_LENGTH)}
        loads |= {it: draw(variants[it], MIX_LENGTH) for it in ("assess", "risk map")}
        for title, requests in loads.items():
            yield compare_load(webs, requests, title=title, target=LOAD_RATIO)
        # Quantiles of their own for both, since they share what is stored.
        yield compare_latency(
            webs,
            name="assess, a question never asked before",
            before=_in_turn(_new_assessments(city, offset=0), NEW_ASSESSMENTS),
            after=_in_turn(_new_assessments(city, offset=1), NEW_ASSESSMENTS),
            check=_same_losses,
            target=1.0,
        )


@registry.suite("cache")
def cache() -> Iterator[AnyMeasurement]:
    """Cached answers: against a bare function, and dashboards against plain Django."""
    with own_city() as city, plain_and_optimised() as webs:
        yield compare_latency(
            webs,
            name="dashboard, cold",
            before=_in_turn(_new_dashboards(city), NEW_DASHBOARDS),
            after=_in_turn(_new_dashboards(city), NEW_DASHBOARDS),
            target=2.0,
        )
        again = [city.dashboard(city.portfolios[0], timeframe="7d")] * NEW_DASHBOARDS
        yield compare_latency(
            webs,
            name="dashboard, warm",
            before=lambda: again,
            after=lambda: again,
            target=20.0,
        )
        request = city.assess(city.portfolios[0], DAY_S, QUANTILES[0])
        with _bare_function(webs, request) as bare:
            yield compare_load(
                replace(webs, before=bare),
                [request],
                title="cached assess against a bare function",
                target=0.5,
            )


def _in_turn(
    requests: Iterator[WebRequest], n: int
) -> Callable[[], Sequence[WebRequest]]:
    return lambda: list(islice(requests, n))


def _new_assessments(city: BenchmarkCity, *, offset: int) -> Iterator[WebRequest]:
    """Make requests that were never sent: quantiles have five decimals."""
    portfolios = city.portfolios[:NEW_ASSESSMENTS]
    for number in count(offset, 2):
        portfolio = portfolios[number // 2 % len(portfolios)]
        yield city.assess(portfolio, DAY_S, [round(0.8 + number / 1e5, 6)])


def _new_dashboards(city: BenchmarkCity) -> Iterator[WebRequest]:
    """Let every timeframe end a little earlier, so that no response of it is cached."""
    newest = city.now.replace(second=0, microsecond=0)
    for number in count(1):
        portfolio = city.portfolios[number % len(city.portfolios)]
        time = (newest - number * STEP).isoformat()
        yield city.dashboard(portfolio, timeframe="7d", time=time)


def _same_losses(before: WebResponse, after: WebResponse) -> None:
    check_success(before, after)
    expected, found = (orjson.loads(response.body) for response in (before, after))
    for figure in ("portfolio_id", "expected_loss", "loss_probability", "inside"):
        if expected[figure] != found[figure]:
            raise BenchmarkError(f"{after.request.path} gives another {figure}.")


@contextmanager
def _bare_function(webs: WebPair, request: WebRequest) -> Generator[int]:
    """Serve the very bytes of a response by a function that does nothing else."""
    with connected(webs.after) as send:
        # The first response is computed, the next ones are cached.
        _, response = send(request), send(request)
    if response.headers.get("x-cache") in NOT_CACHED:
        raise BenchmarkError("The assessment is computed again at each request.")
    headers = {name: response.headers.get(name) for name in COPIED_HEADERS}
    given = {name: value for name, value in headers.items() if value is not None}
    with TemporaryDirectory(prefix="riskplatform-bare-") as folder:
        body = Path(folder) / "body"
        body.write_bytes(response.wire_body)
        environment = {
            "BARE_ANSWER": str(body),
            "BARE_HEADERS": orjson.dumps(given).decode(),
        }
        with web_process(BARE, environment=environment, core=measured_core()) as bare:
            yield bare
