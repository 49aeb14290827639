"""Plain Django and all optimisations as two web processes, held against each other."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median

from perf.bench.client import (
    WebRequest,
    WebResponse,
    check_same,
    compare_responses,
    connected,
)
from perf.bench.errors import BenchmarkError
from perf.bench.load import (
    PERCENTILES,
    REQUESTS_PER_S,
    Load,
    LoadResult,
    generator_name,
    put_under_load,
)
from perf.bench.machine import measured_core, other_core, pinned_to
from perf.bench.measurement import FurtherFigure, Measurement, Meter, reported
from perf.bench.runner import is_quick_run
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
Check = Callable[[WebResponse, WebResponse], None]

MEDIAN_MS: Meter[Responses] = reported(
    "ms",
    lambda responses: 1_000 * median(response.seconds for response in responses),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPair:
    """The ports of the two, and the core of their client."""

    before: int
    after: int
    load_core: int | None


@contextmanager
def plain_and_optimised() -> Generator[WebPair]:
    """Serve the platform twice; both processes share a core and take turns there."""
    core = measured_core()
    with (
        web_process(environment=PLAIN | OVER_LOOPBACK, core=core) as before,
        web_process(environment=OPTIMISED | OVER_LOOPBACK, core=core) as after,
    ):
        yield WebPair(before=before, after=after, load_core=other_core())


def compare_load(
    webs: WebPair,
    requests: Sequence[WebRequest],
    *,
    title: str,
    target: float,
    users: int = USERS,
) -> Measurement[LoadResult]:
    """Put both under the load of many users in turn.

    It has a row each for throughput and percentiles; in all of them `after` has to be
    `target` times better. Every request is compared before; some are again after each
    round.
    """
    seconds = QUICK_LOAD_S if is_quick_run() else LOAD_S
    load = Load(
        requests=requests, connections=users, seconds=seconds, core=webs.load_core
    )
    different = {(each.method, each.path, each.body): each for each in requests}
    compare_responses(webs.before, webs.after, different.values())
    title = f"{title}, {users} connections ({generator_name()})"
    sample = requests[:: len(requests) // SAMPLED or 1]
    return Measurement(
        name=f"{title}: throughput",
        before=partial(put_under_load, webs.before, load),
        after=partial(put_under_load, webs.after, load),
        meter=REQUESTS_PER_S,
        check=partial(_went_well, webs, sample),
        target=target,
        further=tuple(
            FurtherFigure(name=f"{title}: {name}", meter=meter, target=target)
            for name, meter in PERCENTILES.items()
        ),
        warmups=0 if is_quick_run() else 1,
        repeats=5,
        time_limit_s=20.0 * seconds,
    )


def compare_latency(
    webs: WebPair,
    *,
    name: str,
    before: Callable[[], Sequence[WebRequest]],
    after: Callable[[], Sequence[WebRequest]],
    target: float,
    check: Check = check_same,
) -> Measurement[Responses]:
    """Let one client wait for responses, one after the other; the figure is the median.

    `before` and `after` give the requests of a round.
    """
    return Measurement(
        name=name,
        before=lambda: _send_all(webs.before, before()),
        after=lambda: _send_all(webs.after, after()),
        meter=MEDIAN_MS,
        check=partial(_all_agree, check),
        target=target,
        around=lambda: pinned_to(webs.load_core),
        repeats=7,
    )


def _send_all(port: int, requests: Sequence[WebRequest]) -> Responses:
    with connected(port) as send:
        return [send(request) for request in requests]


def _went_well(
    webs: WebPair, sample: Sequence[WebRequest], before: LoadResult, after: LoadResult
) -> bool:
    for load in (before, after):
        if not load.is_clean:
            raise BenchmarkError(
                f"{load.errors} of {load.requests} requests under load failed."
            )
    compare_responses(webs.before, webs.after, sample)
    return True


def _all_agree(check: Check, before: Responses, after: Responses) -> bool:
    for expected, found in zip(before, after, strict=True):
        check(expected, found)
    return True
