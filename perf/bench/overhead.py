"""What a request pays for its connection, beside the query it came for."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from perf.bench.measurement import AnyMeasurement, Measurement, Meter, reported

REQUESTS = 100
# Two medians of the same query differ by so much.
RESOLUTION_S = 10e-6
# 80 % less.
RATIO = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Seconds per request beyond the bare query, and what the requests answered."""

    seconds: float
    answer: object


OVERHEAD: Meter[Overhead] = reported("µs", lambda found: 1e6 * found.seconds)


def measure_overhead(
    request: Callable[[], object], bare: Callable[[], object]
) -> Overhead:
    """Take both in turns; `bare` is the query on a connection that is open already.

    What is too little to be measured counts as the least that could be.
    """
    extra_s = []
    answer: object = None
    for _ in range(REQUESTS):
        bare_s, _ignored = _timed(bare)
        request_s, answer = _timed(request)
        extra_s.append(request_s - bare_s)
    return Overhead(seconds=max(median(extra_s), RESOLUTION_S), answer=answer)


def compare_overheads(
    name: str, *, before: Callable[[], Overhead], after: Callable[[], Overhead]
) -> AnyMeasurement:
    return Measurement(
        name=f"{name}: overhead of a request",
        before=before,
        after=after,
        meter=OVERHEAD,
        check=lambda one, other: one.answer is not None and one.answer == other.answer,
        target=RATIO,
        repeats=9,
    )


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    started_s = time.perf_counter()
    answer = work()
    return time.perf_counter() - started_s, answer
