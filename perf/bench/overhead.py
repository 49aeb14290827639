"""What a request pays for its connection, beside the query it came for."""

import time
from collections.abc import Callable
from statistics import median

from perf.bench.measurement import AnyMeasurement, Measurement, Meter, reported

REQUESTS = 100
# Two medians of the same query differ by so much.
RESOLUTION_S = 10e-6
# 80 % less.
RATIO = 5.0

# What the requests answered, and seconds per request beyond the bare query.
Overhead = tuple[object, float]

OVERHEAD: Meter[Overhead] = reported("µs", lambda found: 1e6 * found[1])


def measure_overhead(
    request: Callable[[], object], bare: Callable[[], object]
) -> Overhead:
    """Take both in turns; `bare` is the query on a connection that is open already.

    What is too little to be measured counts as the least that could be.
    """
    extra_s = []
    answer: object = None
    for _ in range(REQUESTS):
        started_s = time.perf_counter()
        bare()
        between_s = time.perf_counter()
        answer = request()
        extra_s.append(time.perf_counter() - between_s - (between_s - started_s))
    return answer, max(median(extra_s), RESOLUTION_S)


def compare_overheads(
    name: str, *, before: Callable[[], Overhead], after: Callable[[], Overhead]
) -> AnyMeasurement:
    return Measurement(
        name=f"{name}: overhead of a request",
        before=before,
        after=after,
        meter=OVERHEAD,
        check=lambda one, other: one[0] is not None and one[0] == other[0],
        target=RATIO,
        repeats=9,
    )
