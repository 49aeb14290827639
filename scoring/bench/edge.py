"""What caches save; `manage.py benchmark --suite cache` runs it."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from django.utils import timezone

from perf.bench.asking import Address, Ask, connected
from perf.bench.errors import BenchmarkError
from perf.bench.machine import measured_core
from perf.bench.measurement import AnyMeasurement
from perf.bench.registry import registry
from perf.bench.sides import (
    LoadTargets,
    Sides,
    compare_load,
    compare_waiting,
    plain_and_optimised,
    usual_load,
)
from perf.bench.web_process import web_process
from scoring.bench.city import own_city
from scoring.bench.mix import QUANTILES, Questions
from scoring.bench.place import DAY_S

BARE = "perf.bench.peers.bare_wsgi:application"
COPIED_HEADERS = ("content-type", "content-encoding")
NOT_KEPT = frozenset({"miss", "bypass"})
ASKED_EACH_ROUND = 10
STEP = timedelta(minutes=7)


@registry.suite("cache")
def cache() -> Iterator[AnyMeasurement]:
    """Cached answers: against a bare function, and dashboards against plain Django."""
    with own_city() as questions, plain_and_optimised() as sides:
        yield _new_dashboards(sides, questions)
        yield _dashboard_again(sides, questions)
        ask = questions.assess(
            questions.portfolios[0], horizon_sec=DAY_S, quantiles=QUANTILES[0]
        )
        with _bare_function(sides, ask) as bare:
            yield _against_bare(replace(sides, before=bare), ask)


def _new_dashboards(sides: Sides, questions: Questions) -> AnyMeasurement:
    newest = timezone.now().replace(second=0, microsecond=0)
    return compare_waiting(
        sides,
        name="dashboard, cold",
        before=_never_asked(questions, newest),
        after=_never_asked(questions, newest),
        target=2.0,
    )


def _never_asked(questions: Questions, newest: datetime) -> Callable[[], list[Ask]]:
    """Let every timeframe end a little earlier, so that no answer is kept of it."""
    numbers, portfolios = count(1), questions.portfolios

    def asks() -> list[Ask]:
        return [
            questions.dashboard(
                portfolios[number % len(portfolios)],
                timeframe="7d",
                time=(newest - number * STEP).isoformat(),
            )
            for number in islice(numbers, ASKED_EACH_ROUND)
        ]

    return asks


def _dashboard_again(sides: Sides, questions: Questions) -> AnyMeasurement:
    asks = [questions.dashboard(questions.portfolios[0], timeframe="7d")]
    asks *= ASKED_EACH_ROUND
    return compare_waiting(
        sides,
        name="dashboard, warm",
        before=lambda: asks,
        after=lambda: asks,
        target=20.0,
    )


def _against_bare(sides: Sides, ask: Ask) -> AnyMeasurement:
    targets = LoadTargets(throughput=0.5, latency=0.5)
    title = "cached assess against a bare function"
    return compare_load(sides, usual_load(sides, [ask]), title=title, targets=targets)


@contextmanager
def _bare_function(sides: Sides, ask: Ask) -> Generator[Address]:
    """Serve the very bytes of an answer by a function that does nothing else."""
    with connected(sides.after) as client:
        # The first answer is worked out, the next ones are what is kept of it.
        _, reply = client.send(ask), client.send(ask)
    if reply.headers.get("x-cache") in NOT_KEPT:
        raise BenchmarkError("The assessment is worked out anew at each request.")
    headers = {
        name: value for name, value in reply.headers.items() if name in COPIED_HEADERS
    }
    with TemporaryDirectory(prefix="riskplatform-bare-") as folder:
        answer = Path(folder) / "answer"
        answer.write_bytes(reply.wire_body)
        environment = {
            "BARE_ANSWER": str(answer),
            "BARE_HEADERS": orjson.dumps(headers).decode(),
        }
        with web_process(BARE, environment=environment, core=measured_core()) as bare:
            yield bare
