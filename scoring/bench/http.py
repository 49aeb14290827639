"""The API under load; `manage.py benchmark --suite http` runs it.

Two real web processes, one plain Django and one with every optimisation, are put
under the same load in turn and have to give the same answers.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import orjson

from perf.bench.asking import Ask, Reply, check_success
from perf.bench.bounds import is_quick_run
from perf.bench.errors import WrongAnswerError
from perf.bench.load import Load
from perf.bench.measurement import AnyMeasurement
from perf.bench.registry import registry
from perf.bench.sides import (
    LoadTargets,
    Sides,
    compare_load,
    compare_waiting,
    plain_and_optimised,
)
from scoring.bench.city import own_city
from scoring.bench.mix import Questions, draw, draw_mix, variants_of
from scoring.horizons import DAY_S

USERS = 100
MIX_LENGTH = 500
LOAD_S, QUICK_LOAD_S = 8, 1
TARGETS = LoadTargets(throughput=10.0, latency=10.0)
# A new question each time: of five decimal places none was asked before.
NEW_EACH_ROUND = 5


@registry.suite("http")
def http() -> Iterator[AnyMeasurement]:
    """The API over HTTP: plain Django (before), all optimisations (after)."""
    with own_city() as questions, plain_and_optimised() as sides:
        variants = variants_of(questions)
        yield _under_load(sides, draw_mix(variants, MIX_LENGTH), "mix")
        for kind in ("assess", "risk map"):
            yield _under_load(sides, draw(variants[kind], MIX_LENGTH), kind)
        yield _new_questions(sides, questions)


def _under_load(sides: Sides, asks: Sequence[Ask], title: str) -> AnyMeasurement:
    load = Load(
        asks=asks,
        connections=USERS,
        seconds=QUICK_LOAD_S if is_quick_run() else LOAD_S,
        core=sides.asking_core,
    )
    return compare_load(sides, load, title=title, targets=TARGETS)


def _new_questions(sides: Sides, questions: Questions) -> AnyMeasurement:
    """Ask the sides for different quantiles: they share what is stored."""
    return compare_waiting(
        sides,
        name="assess, a question never asked before",
        before=_never_asked(questions, offset=0),
        after=_never_asked(questions, offset=1),
        check=_same_losses,
        target_ratio=1.0,
    )


def _never_asked(questions: Questions, *, offset: int) -> Callable[[], list[Ask]]:
    numbers = count(offset, 2)

    def asks() -> list[Ask]:
        return [
            questions.assess(
                questions.portfolios[place % len(questions.portfolios)],
                horizon_sec=DAY_S,
                quantiles=[round(0.8 + next(numbers) / 1e5, 6)],
            )
            for place in range(NEW_EACH_ROUND)
        ]

    return asks


def _same_losses(before: Reply, after: Reply) -> None:
    check_success(before, after)
    expected, found = (orjson.loads(reply.body) for reply in (before, after))
    for figure in ("portfolio_id", "expected_loss", "loss_probability", "inside"):
        if expected[figure] != found[figure]:
            raise WrongAnswerError(f"{after.ask.path} gives another {figure}.")
