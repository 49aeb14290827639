"""The API under load; `manage.py benchmark --suite http` runs it.

Two real web processes, one plain Django and one with every optimisation, are put
under the same load in turn and have to give the same answers.
"""

from collections.abc import Callable, Iterator
from itertools import count

import orjson

from perf.bench.client import WebRequest, WebResponse, check_success
from perf.bench.errors import BenchmarkError
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
from scoring.bench.city import own_city
from scoring.bench.mix import Questions, draw, draw_mix, variants_of
from scoring.horizons import DAY_S

MIX_LENGTH = 500
TARGETS = LoadTargets(throughput=10.0, latency=10.0)
# A new request each time: with five decimals none was sent before.
NEW_EACH_ROUND = 5


@registry.suite("http")
def http() -> Iterator[AnyMeasurement]:
    """The API over HTTP: plain Django (before), all optimisations (after)."""
    with own_city() as questions, plain_and_optimised() as webs:
        variants = variants_of(questions)
        loads = {"mix": draw_mix(variants, MIX_LENGTH)}
        loads |= {it: draw(variants[it], MIX_LENGTH) for it in ("assess", "risk map")}
        for title, requests in loads.items():
            load = usual_load(webs, requests)
            yield compare_load(webs, load, title=title, targets=TARGETS)
        yield _new_requests(webs, questions)


def _new_requests(webs: WebPair, questions: Questions) -> AnyMeasurement:
    """Give each its own quantiles: they share what is stored."""
    return compare_latency(
        webs,
        name="assess, a question never asked before",
        before=_never_sent(questions, offset=0),
        after=_never_sent(questions, offset=1),
        check=_same_losses,
        target=1.0,
    )


def _never_sent(questions: Questions, *, offset: int) -> Callable[[], list[WebRequest]]:
    numbers = count(offset, 2)

    def requests() -> list[WebRequest]:
        return [
            questions.assess(
                questions.portfolios[index % len(questions.portfolios)],
                horizon_sec=DAY_S,
                quantiles=[round(0.8 + next(numbers) / 1e5, 6)],
            )
            for index in range(NEW_EACH_ROUND)
        ]

    return requests


def _same_losses(before: WebResponse, after: WebResponse) -> None:
    check_success(before, after)
    expected, found = (orjson.loads(response.body) for response in (before, after))
    for figure in ("portfolio_id", "expected_loss", "loss_probability", "inside"):
        if expected[figure] != found[figure]:
            raise BenchmarkError(f"{after.request.path} gives another {figure}.")
