"""The demo's portfolio: people in coastal cities that cyclones reach."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import h3.api.basic_int as h3
import numpy as np
from django.contrib.auth.models import User
from django.db import transaction

from riskplatform.api.keys.models import Membership, Organisation
from riskplatform.kernel.csv_writing import csv_text
from scoring.demo.datasets import Dataset
from scoring.demo.datasets.north_atlantic import CITIES_CREDIT, City, near_sea
from scoring.models import Forecast, Portfolio, Vulnerability
from scoring.services.assessments import assess_against
from scoring.services.portfolios.asset_import import ImportOptions, import_assets
from scoring.services.portfolios.portfolios import (
    create_portfolio,
    create_vulnerability,
)

ORGANISATION: Final = "demo"
PORTFOLIO: Final = "Coastal cities of the North Atlantic"
# The currency of what is not money: people.
NO_CURRENCY: Final = "XXX"
CURVE: Final = "gale"
# People in a cell with winds of a tropical storm, in knots, are exposed.
GALE_KT: Final = 34.0
CURVE_POINTS: Final = ((GALE_KT - 1.0, 0.0), (GALE_KT, 1.0))
# Further inland a storm is rarely one any more.
COAST_KM: Final = 100.0
TAIL: Final = 0.95
QUANTILES: Final = (0.9, TAIL)


def assess_cities(
    dataset: Dataset, cities: Iterable[City], *, forecast: Forecast
) -> dict[str, Any]:
    """Bring the cities in harm's way into a portfolio and assess it; safe to repeat.

    Reports how many people the forecast exposes, and in which cities.
    """
    exposed = cities_in_harms_way(dataset, cities)
    portfolio = _store(exposed)
    assessment = assess_against(portfolio, forecast, quantiles=QUANTILES)
    figures = assessment.figures
    label_of = {str(city.geonames_id): city.label for city in exposed}
    return {
        "organisation": portfolio.organisation.slug,
        "portfolio_id": str(portfolio.pk),
        "name": portfolio.name,
        "source": CITIES_CREDIT,
        "assessment_id": str(assessment.pk),
        "horizon_sec": forecast.horizon_sec,
        "cities": len(exposed),
        "people": sum(city.population for city in exposed),
        "risk_score": assessment.risk_score,
        "expected_exposed": _people(assessment.expected_loss),
        "loss_probability": figures["loss_probability"],
        "var_95": _people(figures["var"][f"{TAIL}"]),
        "tvar_95": _people(figures["tvar"][f"{TAIL}"]),
        "top_cities": [
            {
                "city": label_of.get(row["reference"], row["reference"]),
                "people": _people(row["value"]),
                "expected_exposed": _people(row["expected_loss"]),
                "tvar_contribution": _people(row["tvar_contribution"]),
            }
            for row in figures["top_assets"]
        ],
    }


def cities_in_harms_way(dataset: Dataset, cities: Iterable[City]) -> list[City]:
    """Keep cities near the sea in cells in which a storm on record had gales."""
    wind_kt = np.zeros(0) if dataset.severity is None else dataset.severity
    strong = np.flatnonzero(wind_kt >= GALE_KT)
    places = zip(
        dataset.lat[strong].tolist(), dataset.lon[strong].tolist(), strict=True
    )
    cells = {h3.latlng_to_cell(y, x, dataset.resolution) for y, x in places}
    inside = [
        city
        for city in cities
        if h3.latlng_to_cell(city.lat, city.lon, dataset.resolution) in cells
    ]
    is_coastal = near_sea(
        np.array([city.lat for city in inside]),
        np.array([city.lon for city in inside]),
        countries=dataset.boundary or {"features": []},
        within_km=COAST_KM,
    )
    return [inside[position] for position in np.flatnonzero(is_coastal).tolist()]


def join_demo_organisation(username: str) -> None:
    """Let a person of that name, when signed in, act for the demo's organisation."""
    user = User.objects.filter(username=username).first()
    organisation = Organisation.objects.filter(slug=ORGANISATION).first()
    if user is not None and organisation is not None:
        Membership.objects.get_or_create(
            organisation=organisation,
            user=user,
            defaults={"role": Membership.Role.EDITOR},
        )


@transaction.atomic
def _store(cities: Sequence[City]) -> Portfolio:
    organisation, _ = Organisation.objects.get_or_create(
        slug=ORGANISATION, defaults={"name": "Demo"}
    )
    if not Vulnerability.objects.filter(organisation=organisation, slug=CURVE).exists():
        name = "Winds of 34 knots or more"
        create_vulnerability(organisation, slug=CURVE, name=name, points=CURVE_POINTS)
    portfolios = Portfolio.objects.for_organisation(organisation)
    portfolio = portfolios.filter(name=PORTFOLIO).first() or create_portfolio(
        organisation, name=PORTFOLIO, currency=NO_CURRENCY
    )
    done = import_assets(
        portfolio, [_file(cities)], options=ImportOptions(is_replacing=True)
    )
    return done.portfolio


def _file(cities: Iterable[City]) -> bytes:
    names = ("id", "name", "lat", "lon", "value", "vulnerability")
    rows = (
        (it.geonames_id, it.label, it.lat, it.lon, it.population, CURVE)
        for it in cities
    )
    return csv_text([names, *rows]).encode()


def _people(amount: Decimal | str) -> int:
    return round(Decimal(amount))
