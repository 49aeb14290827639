"""Plain Django and all optimisations as two web processes, held against each other."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median

from perf.bench.client import (
    Address,
    WebRequest,
    WebResponse,
    check_same,
    compare_answers,
    connected,
)
from perf.bench.errors import BenchmarkError
from perf.bench.load import (
    P50_MS,
    P95_MS,
    P99_MS,
    REQUESTS_PER_S,
    Load,
    LoadResult,
    generator_name,
    put_under_load,
)
from perf.bench.machine import measured_core, other_core, pinned_to
from perf.bench.measurement import FurtherFigure, Measurement, Meter, reported
from perf.bench.run_limits import is_quick_run
from perf.bench.web_process import web_process
from perf.switches import Switch

OPTIMISED = {"PERFORMANCE_OFF": ""}
PLAIN = {"PERFORMANCE_OFF": ",".join(Switch)}
# The load comes from one address, without a pause.
OVER_LOOPBACK = {
    "RISKPLATFORM_TLS": "0",
    "ALLOWED_HOSTS": "127.0.0.1",
    "RATE_LIMITS": "off",
}
SAMPLED = 10
USERS = 100
LOAD_S, QUICK_LOAD_S = 8, 1

Responses = list[WebResponse]
MEDIAN_MS: Meter[Responses] = reported(
    "ms",
    lambda responses: 1_000 * median(response.seconds for response in responses),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPair:
    """Where the two listen, and the core of their client."""

    before: Address
    after: Address
    load_core: int | None


@contextmanager
def plain_and_optimised() -> Generator[WebPair]:
    """Serve the platform twice; both processes share a core and take turns there."""
    core, load_core = measured_core(), other_core()
    with (
        web_process(environment=PLAIN | OVER_LOOPBACK, core=core) as before,
        web_process(environment=OPTIMISED | OVER_LOOPBACK, core=core) as after,
    ):
        yield WebPair(before=before, after=after, load_core=load_core)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTargets:
    """How many times better `after` has to be."""

    throughput: float
    latency: float


def usual_load(webs: WebPair, requests: Sequence[WebRequest]) -> Load:
    """Give the load of many users, from the core that is not measured."""
    return Load(
        requests=requests,
        connections=USERS,
        seconds=QUICK_LOAD_S if is_quick_run() else LOAD_S,
        core=webs.load_core,
    )


def compare_load(
    webs: WebPair, load: Load, *, title: str, targets: LoadTargets
) -> Measurement[LoadResult]:
    """Put both under a load in turn; a row each for throughput and percentiles.

    Every request is compared before; some are again after each round.
    """
    compare_answers(webs.before, webs.after, distinct(load.requests))
    title = f"{title}, {load.connections} connections ({generator_name()})"
    percentiles = {"p50": P50_MS, "p95": P95_MS, "p99": P99_MS}
    return Measurement(
        name=f"{title}: throughput",
        before=partial(put_under_load, webs.before, load),
        after=partial(put_under_load, webs.after, load),
        meter=REQUESTS_PER_S,
        check=partial(
            _went_well, webs, load.requests[:: len(load.requests) // SAMPLED or 1]
        ),
        target=targets.throughput,
        further=tuple(
            FurtherFigure(name=f"{title}: {name}", meter=meter, target=targets.latency)
            for name, meter in percentiles.items()
        ),
        warmups=0 if is_quick_run() else 1,
        repeats=5,
        time_limit_s=20.0 * load.seconds,
    )


def compare_latency(
    webs: WebPair,
    *,
    name: str,
    before: Callable[[], Sequence[WebRequest]],
    after: Callable[[], Sequence[WebRequest]],
    target: float,
    check: Callable[[WebResponse, WebResponse], None] = check_same,
) -> Measurement[Responses]:
    """Let one client wait for answers, one after the other; the figure is the median.

    `before` and `after` give the requests of a round.
    """
    return Measurement(
        name=name,
        before=lambda: send_all(webs.before, before()),
        after=lambda: send_all(webs.after, after()),
        meter=MEDIAN_MS,
        check=partial(_all_agree, check),
        target=target,
        around=lambda: pinned_to(webs.load_core),
        repeats=7,
    )


def send_all(address: Address, requests: Sequence[WebRequest]) -> Responses:
    with connected(address) as client:
        return [client.send(request) for request in requests]


def distinct(requests: Sequence[WebRequest]) -> list[WebRequest]:
    return list(
        {
            (request.method, request.path, request.body): request
            for request in requests
        }.values()
    )


def _went_well(
    webs: WebPair, sample: Sequence[WebRequest], before: LoadResult, after: LoadResult
) -> bool:
    for load in (before, after):
        if not load.is_clean:
            raise BenchmarkError(
                f"{load.errors} of {load.requests} requests under load failed."
            )
    compare_answers(webs.before, webs.after, sample)
    return True


def _all_agree(
    check: Callable[[WebResponse, WebResponse], None],
    before: Responses,
    after: Responses,
) -> bool:
    for expected, found in zip(before, after, strict=True):
        check(expected, found)
    return True
