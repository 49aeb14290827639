"""Benchmarks of assessments; `manage.py benchmark --suite assess` runs them.

They write to the configured database, under an organisation and a region of their
own, and take away what they wrote.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

import h3.api.basic_int as h3
import numpy as np
from django.utils import timezone

from perf.bench.measurement import AnyMeasurement, Budget, Comparison
from perf.bench.registry import registry
from riskplatform.api.keys.models import Organisation
from scoring.arrays import ForecastColumns, pack_columns, pack_scenarios
from scoring.engine import workloads
from scoring.engine.distributions import distribution_of
from scoring.models import (
    Assessment,
    Asset,
    AssetPlace,
    Forecast,
    ForecastArrays,
    ModelVersion,
    Portfolio,
    Region,
    Vulnerability,
)
from scoring.services.assessments.assessing import (
    AssessmentQuestion,
    assess_portfolio,
    prepare_assessment,
)
from scoring.services.assessments.batches import assess_batch
from scoring.services.assessments.inputs import forget_inputs
from scoring.services.regions import RegionDefinition, define_region

N_CELLS = 1_000
N_SCENARIOS = 10_000
N_ASSETS = 10_000
N_BATCH, BATCH_ASSETS = 50, 500
SEED = 1
ISSUED_FOR = datetime(2024, 1, 1, tzinfo=UTC)
DAY_S = 86_400
CURVES = ([[0.0, 0.0], [1.0, 0.4]], [[0.0, 0.1], [1.0, 0.8]])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What the suite made: an organisation, a forecast, and curves."""

    organisation: Organisation
    region: Region
    curves: list[Vulnerability]


@registry.suite("assess")
def assess() -> Iterator[AnyMeasurement]:
    """Assess portfolios against the 10,000 scenarios of a forecast, from the tables."""
    with _own_place() as place:
        for days in (1, 7):
            _publish(place.region, days)
        plain = _portfolio(place, "plain", N_ASSETS)
        insured = _portfolio(place, "insured", N_ASSETS, has_terms=True)
        yield _cached(plain, days=1, title="no terms, 1 day")
        yield _cached(insured, days=1, title="3 curves and terms, 1 day")
        yield _cached(plain, days=7, title="no terms, 7 days")
        yield _cached(insured, days=7, title="3 curves and terms, 7 days")
        yield _cold(insured)
        yield _repeated(insured)
        yield _batch(place)


def _cached(portfolio: Portfolio, *, days: int, title: str) -> AnyMeasurement:
    question = AssessmentQuestion(horizon_sec=days * DAY_S)
    return Budget(
        name=f"{N_ASSETS:,} assets, exposure cached: {title}",
        after=lambda: prepare_assessment(portfolio, question),
        check=_adds_up,
        target_value=200.0,
        repeats=9,
        single_core=True,
    )


def _cold(portfolio: Portfolio) -> AnyMeasurement:
    def measure() -> Assessment:
        forget_inputs()
        return prepare_assessment(portfolio, AssessmentQuestion())

    return Budget(
        name=f"{N_ASSETS:,} assets, everything read from the database, 1 day",
        after=measure,
        check=_adds_up,
        target_value=1_000.0,
        repeats=5,
    )


def _repeated(portfolio: Portfolio) -> AnyMeasurement:
    question = AssessmentQuestion(quantiles=(0.5,))
    stored = assess_portfolio(portfolio, question)
    return Budget(
        name="the same question again: the stored assessment",
        after=lambda: assess_portfolio(portfolio, question),
        check=lambda assessment: assessment.pk == stored.pk,
        target_value=20.0,
    )


def _batch(place: _Place) -> AnyMeasurement:
    portfolios = [
        _portfolio(place, f"batch {number}", BATCH_ASSETS, has_terms=True)
        for number in range(N_BATCH)
    ]
    ids = [portfolio.pk for portfolio in portfolios]
    rounds = count(1)

    def question() -> AssessmentQuestion:
        """Ask for another quantile each time, so that nothing is stored yet."""
        forget_inputs()
        return AssessmentQuestion(quantiles=(0.9, 0.95 + next(rounds) / 10_000))

    def one_by_one() -> list[Decimal]:
        asked = question()
        found = [assess_portfolio(portfolio, asked) for portfolio in portfolios]
        return [assessment.expected_loss for assessment in found]

    def together() -> list[Decimal]:
        results = assess_batch(place.organisation, ids, question())
        return [
            result.assessment.expected_loss
            for result in results
            if result.assessment is not None
        ]

    return Comparison(
        name=f"{N_BATCH} portfolios of {BATCH_ASSETS} assets, one by one or as a batch",
        before=one_by_one,
        after=together,
        check=lambda before, after: before == after,
        target_ratio=1.2,
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


@contextmanager
def _own_place() -> Generator[_Place]:
    slug = f"benchmark-{timezone.now():%Y%m%d%H%M%S%f}"
    organisation = Organisation.objects.create(slug=slug, name="Benchmark")
    grid = workloads.compact_grid(N_CELLS)
    region = define_region(
        RegionDefinition(
            slug=slug,
            name="Benchmark",
            timezone="UTC",
            resolution=workloads.RESOLUTION,
        ),
        cells=grid.cells.tolist(),
    )
    try:
        curves = [
            Vulnerability.objects.create(
                organisation=organisation, slug=f"c{row}", name="Curve", points=points
            )
            for row, points in enumerate(CURVES)
        ]
        yield _Place(organisation=organisation, region=region, curves=curves)
    finally:
        forget_inputs()
        Asset.objects.filter(portfolio__organisation=organisation).delete()
        organisation.delete()
        Forecast.objects.filter(region=region).delete()
        region.delete()


def _publish(region: Region, days: int) -> None:
    grid = workloads.compact_grid(N_CELLS)
    process = workloads.clustered_process(grid, n_steps=days)
    scenarios = workloads.draw_scenarios(process, n_scenarios=N_SCENARIOS)
    counts = np.bincount(scenarios.cell_index, minlength=len(grid))
    mean = counts / N_SCENARIOS
    columns = ForecastColumns.of(grid.cells, distribution_of(mean, 2.0))
    version, _ = ModelVersion.objects.get_or_create(
        region=region,
        number=1,
        defaults={
            "kind": "benchmark",
            "state": ModelVersion.State.CHAMPION,
            "trained_from": ISSUED_FOR,
            "trained_until": ISSUED_FOR,
            "event_count": 0,
        },
    )
    forecast = Forecast.objects.create(
        region=region,
        model_version=version,
        issued_for=ISSUED_FOR,
        horizon_sec=days * DAY_S,
        event_count=0,
        cell_count=len(grid),
        expected_count=float(mean.sum()),
        region_alpha=0.05,
    )
    ForecastArrays.objects.create(
        forecast=forecast,
        body=pack_columns(columns),
        scenarios=pack_scenarios(scenarios),
    )


def _portfolio(
    place: _Place, name: str, n_assets: int, *, has_terms: bool = False
) -> Portfolio:
    """Make a portfolio all over the region, past the services: it is no import."""
    rng = np.random.default_rng(SEED)
    cells = rng.choice(workloads.compact_grid(N_CELLS).cells, n_assets).tolist()
    portfolio = Portfolio.objects.create(
        organisation=place.organisation, name=name, currency="USD"
    )
    curves = [None, *place.curves] if has_terms else [None]
    assets = Asset.objects.bulk_create(
        Asset(
            portfolio=portfolio,
            reference=f"a-{number}",
            lat=lat,
            lon=lon,
            value=Decimal(1_000 + number),
            deductible=Decimal(number % 7 if has_terms else 0),
            limit=Decimal(500 + number % 900) if has_terms else None,
            vulnerability=curves[number % len(curves)],
        )
        for number, (lat, lon) in enumerate(map(h3.cell_to_latlng, cells))
    )
    AssetPlace.objects.bulk_create(
        AssetPlace(asset=asset, region=place.region, h3=cell)
        for asset, cell in zip(assets, cells, strict=True)
    )
    return portfolio
