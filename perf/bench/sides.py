"""Plain Django and all optimisations as two web processes, held against each other."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median

from perf.bench.asking import (
    Address,
    Ask,
    Reply,
    check_same,
    compare_answers,
    connected,
)
from perf.bench.bounds import is_quick_run
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

Replies = list[Reply]
MEDIAN_MS: Meter[Replies] = reported(
    "ms",
    lambda replies: 1_000 * median(reply.seconds for reply in replies),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Where the two listen, and the core of whoever asks them."""

    before: Address
    after: Address
    asking_core: int | None


@contextmanager
def plain_and_optimised() -> Generator[Sides]:
    """Serve the platform twice; both processes share a core and take turns there."""
    core, asking_core = measured_core(), other_core()
    with (
        web_process(environment=PLAIN | OVER_LOOPBACK, core=core) as before,
        web_process(environment=OPTIMISED | OVER_LOOPBACK, core=core) as after,
    ):
        yield Sides(before=before, after=after, asking_core=asking_core)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTargets:
    """How many times better `after` has to be."""

    throughput: float
    latency: float


def usual_load(sides: Sides, asks: Sequence[Ask]) -> Load:
    """Give the load of many users, from the core that nobody measures."""
    return Load(
        asks=asks,
        connections=USERS,
        seconds=QUICK_LOAD_S if is_quick_run() else LOAD_S,
        core=sides.asking_core,
    )


def compare_load(
    sides: Sides, load: Load, *, title: str, targets: LoadTargets
) -> Measurement[LoadResult]:
    """Put both sides under a load in turn; a row each for throughput and percentiles.

    Every request is compared before; some are again after each round.
    """
    compare_answers(sides.before, sides.after, distinct(load.asks))
    title = f"{title}, {load.connections} connections ({generator_name()})"
    percentiles = {"p50": P50_MS, "p95": P95_MS, "p99": P99_MS}
    return Measurement(
        name=f"{title}: throughput",
        before=partial(put_under_load, sides.before, load),
        after=partial(put_under_load, sides.after, load),
        meter=REQUESTS_PER_S,
        check=partial(_went_well, sides, load.asks[:: len(load.asks) // SAMPLED or 1]),
        target=targets.throughput,
        further=tuple(
            FurtherFigure(name=f"{title}: {name}", meter=meter, target=targets.latency)
            for name, meter in percentiles.items()
        ),
        warmups=0 if is_quick_run() else 1,
        repeats=5,
        time_limit_s=20.0 * load.seconds,
    )


def compare_waiting(
    sides: Sides,
    *,
    name: str,
    before: Callable[[], Sequence[Ask]],
    after: Callable[[], Sequence[Ask]],
    target: float,
    check: Callable[[Reply, Reply], None] = check_same,
) -> Measurement[Replies]:
    """Let one client wait for answers, one after the other; the figure is the median.

    `before` and `after` say what each side is asked in a round.
    """
    return Measurement(
        name=name,
        before=lambda: send_all(sides.before, before()),
        after=lambda: send_all(sides.after, after()),
        meter=MEDIAN_MS,
        check=partial(_all_agree, check),
        target=target,
        around=lambda: pinned_to(sides.asking_core),
        repeats=7,
    )


def send_all(address: Address, asks: Sequence[Ask]) -> Replies:
    with connected(address) as client:
        return [client.send(ask) for ask in asks]


def distinct(asks: Sequence[Ask]) -> list[Ask]:
    return list({(ask.method, ask.path, ask.body): ask for ask in asks}.values())


def _went_well(
    sides: Sides, sample: Sequence[Ask], before: LoadResult, after: LoadResult
) -> bool:
    for load in (before, after):
        if not load.is_clean:
            raise BenchmarkError(
                f"{load.errors} of {load.requests} requests under load failed."
            )
    compare_answers(sides.before, sides.after, sample)
    return True


def _all_agree(
    check: Callable[[Reply, Reply], None], before: Replies, after: Replies
) -> bool:
    for expected, found in zip(before, after, strict=True):
        check(expected, found)
    return True
