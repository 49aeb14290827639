"""Deletes a region with everything that hangs on it."""

from collections.abc import Mapping

from django.db import transaction

from analytics.ingest.removal import count_events, remove_events
from scoring.models import (
    AlertRule,
    Assessment,
    AssetPlace,
    Cell,
    Forecast,
    ModelVersion,
    Region,
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

    Its events go first, so that a deletion that broke off is simply repeated.
    """
    counts = count_of_region(region)
    remove_events(region.slug)
    with transaction.atomic():
        publish_region_changes(region)
        region.delete()
    return counts
