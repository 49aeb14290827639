"""Benchmarks of assessments; `manage.py benchmark --suite assess` runs them."""

from collections.abc import Iterator
from decimal import Decimal
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
            publish(place, days=days, n_scenarios=N_SCENARIOS)
        plain = make_portfolio(place, "plain", N_ASSETS)
        insured = make_portfolio(place, "insured", N_ASSETS, has_terms=True)
        yield _cached(plain, days=1, title="no terms, 1 day")
        yield _cached(insured, days=1, title="3 curves and terms, 1 day")
        yield _cached(plain, days=7, title="no terms, 7 days")
        yield _cached(insured, days=7, title="3 curves and terms, 7 days")
        yield _cold(insured)
        yield _repeated(insured)
        yield _batch(place)


def _cached(portfolio: Portfolio, *, days: int, title: str) -> AnyMeasurement:
    wanted = AssessmentTerms(horizon_sec=days * DAY_S)
    return Measurement(
        name=f"{N_ASSETS:,} assets, exposure cached: {title}",
        after=lambda: prepare_assessment(portfolio, wanted),
        check=_adds_up,
        target=200.0,
        repeats=9,
        single_core=True,
    )


def _cold(portfolio: Portfolio) -> AnyMeasurement:
    def measure() -> Assessment:
        with switched_off(Switch.MODELS):
            return prepare_assessment(portfolio, AssessmentTerms())

    return Measurement(
        name=f"{N_ASSETS:,} assets, everything read from the database, 1 day",
        after=measure,
        check=_adds_up,
        target=1_000.0,
        repeats=5,
    )


def _repeated(portfolio: Portfolio) -> AnyMeasurement:
    wanted = AssessmentTerms(quantiles=(0.5,))
    stored = assess_portfolio(portfolio, wanted)
    return Measurement(
        name="the same question again: the stored assessment",
        after=lambda: assess_portfolio(portfolio, wanted),
        check=lambda assessment: assessment.pk == stored.pk,
        target=20.0,
    )


def _batch(place: Place) -> AnyMeasurement:
    portfolios = [
        make_portfolio(place, f"batch {number}", BATCH_ASSETS, has_terms=True)
        for number in range(N_BATCH)
    ]
    ids = [portfolio.pk for portfolio in portfolios]
    rounds = count(1)

    def wanted() -> AssessmentTerms:
        """Name another quantile each time, so that nothing is stored yet."""
        forget_inputs()
        return AssessmentTerms(quantiles=(0.9, 0.95 + next(rounds) / 10_000))

    def one_by_one() -> list[Decimal]:
        wanted_now = wanted()
        found = [assess_portfolio(portfolio, wanted_now) for portfolio in portfolios]
        return [assessment.expected_loss for assessment in found]

    def together() -> list[Decimal]:
        results = assess_batch(place.organisation, ids, wanted())
        return [
            result.assessment.expected_loss
            for result in results
            if result.assessment is not None
        ]

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
    top = sum(
        Decimal(asset["tvar_contribution"])
        for asset in assessment.figures["top_assets"]
    )
    return 0 < top < tail and assessment.figures["inside"]["count"] == N_ASSETS
