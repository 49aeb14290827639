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

from perf.bench.client import Address, WebRequest, connected
from perf.bench.errors import BenchmarkError
from perf.bench.machine import measured_core
from perf.bench.measurement import AnyMeasurement
from perf.bench.registry import registry
from perf.bench.web_pair import (
    LoadTargets,
    WebPair,
    compare_latency,
    compare_load,
    plain_and_optimised,
    usual_load,
)
from perf.bench.web_process import web_process
from scoring.bench.city import own_city
from scoring.bench.mix import QUANTILES, Questions
from scoring.horizons import DAY_S

BARE = "perf.bench.peers.bare_wsgi:application"
COPIED_HEADERS = ("content-type", "content-encoding")
NOT_CACHED = frozenset({"miss", "bypass"})
ASKED_EACH_ROUND = 10
STEP = timedelta(minutes=7)


@registry.suite("cache")
def cache() -> Iterator[AnyMeasurement]:
    """Cached answers: against a bare function, and dashboards against plain Django."""
    with own_city() as questions, plain_and_optimised() as webs:
        yield _new_dashboards(webs, questions)
        yield _dashboard_again(webs, questions)
        request = questions.assess(
            questions.portfolios[0], horizon_sec=DAY_S, quantiles=QUANTILES[0]
        )
        with _bare_function(webs, request) as bare:
            yield _against_bare(replace(webs, before=bare), request)


def _new_dashboards(webs: WebPair, questions: Questions) -> AnyMeasurement:
    newest = timezone.now().replace(second=0, microsecond=0)
    return compare_latency(
        webs,
        name="dashboard, cold",
        before=_never_sent(questions, newest),
        after=_never_sent(questions, newest),
        target=2.0,
    )


def _never_sent(
    questions: Questions, newest: datetime
) -> Callable[[], list[WebRequest]]:
    """Let every timeframe end a little earlier, so that no response of it is cached."""
    numbers, portfolios = count(1), questions.portfolios

    def requests() -> list[WebRequest]:
        return [
            questions.dashboard(
                portfolios[number % len(portfolios)],
                timeframe="7d",
                time=(newest - number * STEP).isoformat(),
            )
            for number in islice(numbers, ASKED_EACH_ROUND)
        ]

    return requests


def _dashboard_again(webs: WebPair, questions: Questions) -> AnyMeasurement:
    requests = [questions.dashboard(questions.portfolios[0], timeframe="7d")]
    requests *= ASKED_EACH_ROUND
    return compare_latency(
        webs,
        name="dashboard, warm",
        before=lambda: requests,
        after=lambda: requests,
        target=20.0,
    )


def _against_bare(webs: WebPair, request: WebRequest) -> AnyMeasurement:
    targets = LoadTargets(throughput=0.5, latency=0.5)
    title = "cached assess against a bare function"
    return compare_load(webs, usual_load(webs, [request]), title=title, targets=targets)


@contextmanager
def _bare_function(webs: WebPair, request: WebRequest) -> Generator[Address]:
    """Serve the very bytes of an answer by a function that does nothing else."""
    with connected(webs.after) as client:
        # The first response is computed, the next ones are cached.
        _, response = client.send(request), client.send(request)
    if response.headers.get("x-cache") in NOT_CACHED:
        raise BenchmarkError("The assessment is computed again at each request.")
    headers = {
        name: value
        for name, value in response.headers.items()
        if name in COPIED_HEADERS
    }
    with TemporaryDirectory(prefix="riskplatform-bare-") as folder:
        answer = Path(folder) / "answer"
        answer.write_bytes(response.wire_body)
        environment = {
            "BARE_ANSWER": str(answer),
            "BARE_HEADERS": orjson.dumps(headers).decode(),
        }
        with web_process(BARE, environment=environment, core=measured_core()) as bare:
            yield bare
