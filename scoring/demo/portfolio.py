"""The demo's portfolio: people in coastal cities that cyclones reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from scoring.models import Assessment, Forecast, Portfolio, Vulnerability
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CityReport:
    """How many people a forecast exposes, and in which cities."""

    portfolio: Portfolio
    cities: Sequence[City]
    forecast: Forecast
    assessment: Assessment

    def as_dict(self) -> dict[str, Any]:
        figures = self.assessment.figures
        label_of = {str(city.geonames_id): city.label for city in self.cities}
        return {
            "organisation": self.portfolio.organisation.slug,
            "portfolio_id": str(self.portfolio.pk),
            "name": self.portfolio.name,
            "source": CITIES_CREDIT,
            "assessment_id": str(self.assessment.pk),
            "horizon_sec": self.forecast.horizon_sec,
            "cities": len(self.cities),
            "people": sum(city.population for city in self.cities),
            "risk_score": self.assessment.risk_score,
            "expected_exposed": _people(self.assessment.expected_loss),
            "loss_probability": figures["loss_probability"],
            "var_95": _people(figures["var"][f"{TAIL}"]),
            "tvar_95": _people(figures["tvar"][f"{TAIL}"]),
            "top_cities": [
                {
                    "city": label_of[row["reference"]],
                    "people": _people(row["value"]),
                    "expected_exposed": _people(row["expected_loss"]),
                    "tvar_contribution": _people(row["tvar_contribution"]),
                }
                for row in figures["top_assets"]
            ],
        }


def assess_cities(
    dataset: Dataset, cities: Iterable[City], *, forecast: Forecast
) -> CityReport:
    """Bring the cities in harm's way into a portfolio and assess it; safe to repeat."""
    exposed = cities_in_harms_way(dataset, cities)
    portfolio = _store(exposed)
    return CityReport(
        portfolio=portfolio,
        cities=exposed,
        forecast=forecast,
        assessment=assess_against(portfolio, forecast, quantiles=QUANTILES),
    )


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
