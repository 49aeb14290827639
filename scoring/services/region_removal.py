"""Deletes a region with everything that hangs on it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from analytics.ingest.removal import count_events, remove_events
from riskplatform.kernel.changes import publish_changes
from scoring import change_names
from scoring.models import (
    AlertRule,
    Assessment,
    AssetPlace,
    Cell,
    Forecast,
    ModelVersion,
    Region,
)
from scoring.services.portfolios.asset_rows import (
    lock_portfolios,
    settle_portfolios,
)
from scoring.services.regions import publish_region_changes

EVENTS, FORECAST_CELLS = "analytics_event", "analytics_forecastcell"


def count_of_region(region: Region) -> Mapping[str, int]:
    """Count what would go with a region, by the words for it."""
    stored = count_events(region.slug)
    return {
        "events": stored[EVENTS],
        "cells": Cell.objects.filter(region=region).count(),
        "model versions": ModelVersion.objects.filter(region=region).count(),
        "forecasts": Forecast.objects.filter(region=region).count(),
        "cells of forecasts": stored[FORECAST_CELLS],
        "assessments": Assessment.objects.filter(forecast__region=region).count(),
        "places of assets": AssetPlace.objects.filter(region=region).count(),
        "alert rules": AlertRule.objects.filter(region=region).count(),
    }


def delete_region(region: Region) -> Mapping[str, int]:
    """Delete a region; give what went with it. Portfolios and assets stay.

    Its events go first, so that a deletion that broke off is simply repeated. Assets
    that lie in no other region are outside from then on.

    Raises
    ------
    EventsWaitingError
        Some of its events are on their way to the store.
    """
    counts = count_of_region(region)
    remove_events(region.slug)
    with transaction.atomic():
        # Cells before portfolios, as all writes of places.
        Cell.objects.filter(region=region).delete()
        places = AssetPlace.objects.filter(region=region)
        portfolio_ids = set(_each(places, "asset__portfolio_id"))
        lock_portfolios(portfolio_ids)
        publish_region_changes(region)
        publish_changes(*_names_of_what_hangs_on(region))
        region.delete()
        settle_portfolios(portfolio_ids)
    return counts


def _names_of_what_hangs_on(region: Region) -> set[str]:
    assessed = Assessment.objects.filter(forecast__region=region)
    rules = AlertRule.objects.filter(region=region)
    return {
        *map(change_names.assessments_of, _each(assessed, "portfolio_id")),
        *map(change_names.alerts_of, _each(rules, "organisation_id")),
    }


def _each(rows: QuerySet[Any], name: str) -> Iterable[Any]:
    return rows.order_by().values_list(name, flat=True).distinct()
