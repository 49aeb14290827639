"""Benchmarks of assessments; `manage.py benchmark --suite assess` runs them."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from itertools import count

from perf.bench.measurement import AnyMeasurement, Measurement
from perf.bench.registry import registry
from perf.switches import Switch, switched_off
from scoring.bench.place import Place, make_portfolio, own_place, publish
from scoring.horizons import DAY_S
from scoring.models import Assessment, Portfolio
from scoring.selectors.assessment_inputs import forget_inputs
from scoring.services.assessments import (
    AssessmentTerms,
    assess_batch,
    assess_portfolio,
    prepare_assessment,
)

N_CELLS = 1_000
N_SCENARIOS = 10_000
N_ASSETS = 10_000
N_BATCH, BATCH_ASSETS = 50, 500


@registry.suite("assess")
def assess() -> Iterator[AnyMeasurement]:
    """Assess portfolios against the 10,000 scenarios of a forecast, from the tables."""
    with own_place(n_cells=N_CELLS) as place:
        for days in (1, 7):
            publish(place, days, N_SCENARIOS)
        plain = make_portfolio(place, "plain", N_ASSETS)
        insured = make_portfolio(place, "insured", N_ASSETS, has_terms=True)
        yield from _one_at_a_time(plain, insured)
        yield _batch(place)


def _one_at_a_time(plain: Portfolio, insured: Portfolio) -> Iterator[AnyMeasurement]:
    portfolios = {"no terms": plain, "3 curves and terms": insured}
    for days, horizon in {1: "1 day", 7: "7 days"}.items():
        wanted = AssessmentTerms(horizon_sec=days * DAY_S)
        for terms, portfolio in portfolios.items():
            yield Measurement(
                name=f"{N_ASSETS:,} assets, exposure cached: {terms}, {horizon}",
                after=partial(prepare_assessment, portfolio, wanted),
                check=_adds_up,
                target=200.0,
                repeats=9,
                single_core=True,
            )
    yield Measurement(
        name=f"{N_ASSETS:,} assets, everything read from the database, 1 day",
        after=partial(_prepare_uncached, insured),
        check=_adds_up,
        target=1_000.0,
        repeats=5,
    )
    wanted = AssessmentTerms(quantiles=(0.5,))
    stored = assess_portfolio(insured, wanted)
    yield Measurement(
        name="the same question again: the stored assessment",
        after=partial(assess_portfolio, insured, wanted),
        check=lambda assessment: assessment.pk == stored.pk,
        target=20.0,
    )


def _prepare_uncached(portfolio: Portfolio) -> Assessment:
    with switched_off(Switch.MODELS):
        return prepare_assessment(portfolio, AssessmentTerms())


def _batch(place: Place) -> AnyMeasurement:
    portfolios = [
        make_portfolio(place, f"batch {number}", BATCH_ASSETS, has_terms=True)
        for number in range(N_BATCH)
    ]
    rounds = count(1)

    def wanted() -> AssessmentTerms:
        """Name another quantile each time, so that nothing is stored yet."""
        forget_inputs()
        return AssessmentTerms(quantiles=(0.9, 0.95 + next(rounds) / 10_000))

    def one_by_one() -> list[Decimal]:
        quantiles = wanted()
        return [assess_portfolio(one, quantiles).expected_loss for one in portfolios]

    def together() -> list[Decimal]:
        ids = [portfolio.pk for portfolio in portfolios]
        results = assess_batch(place.organisation, ids, wanted())
        found = [result.assessment for result in results]
        return [one.expected_loss for one in found if one is not None]

    return Measurement(
        name=f"{N_BATCH} portfolios of {BATCH_ASSETS} assets, one by one or as a batch",
        before=one_by_one,
        after=together,
        check=lambda before, after: before == after,
        target=1.2,
        repeats=5,
    )


def _adds_up(assessment: Assessment) -> bool:
    """Ten assets never contribute more than the tail that all of them make."""
    tail = Decimal(assessment.figures["tvar"]["0.99"])
    assets = assessment.figures["top_assets"]
    top = sum(Decimal(asset["tvar_contribution"]) for asset in assets)
    return 0 < top < tail and assessment.figures["inside"]["count"] == N_ASSETS
