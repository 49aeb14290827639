"""Fit a region anew and publish its forecasts."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from riskplatform.api.keys.access import FULL_ACCESS
from riskplatform.kernel.errors import ApplicationError
from scoring.engine.models.registry import KINDS
from scoring.selectors.regions import get_region
from scoring.services.registry.fitting import SERVED_KIND, refresh_forecasts


class Command(BaseCommand):
    help = (
        "Fit a model version on all events of a region and publish its forecasts. "
        "Where the region has a champion, the new version stays a candidate. Safe to "
        "repeat: each run makes a new version."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--region", required=True, help="Slug of the region.")
        parser.add_argument(
            "--model", choices=KINDS, default=SERVED_KIND, help="Model family to fit."
        )
        parser.add_argument(
            "--promote",
            metavar="REASON",
            default="",
            help="Make the version champion without the gate, because of REASON.",
        )
        parser.add_argument(
            "--json", action="store_true", help="Print the result as JSON."
        )

    def handle(self, *, region: str, **options: Any) -> None:
        try:
            refreshed = refresh_forecasts(
                get_region(region, access=FULL_ACCESS),
                kind=options["model"],
                forced_because=options["promote"],
                progress=self.stderr.write,
            )
        except ApplicationError as error:
            raise CommandError(error.message) from error
        result = {
            "region": region,
            "model_version": str(refreshed.model_version),
            "forecasts": [str(forecast.pk) for forecast in refreshed.forecasts],
            "notes": refreshed.model_version.notes,
            "events": refreshed.event_count,
            "cells": len(refreshed.grid),
            "fit_seconds": round(refreshed.fit_seconds, 3),
            "forecast_seconds": round(refreshed.forecast_seconds, 3),
        }
        if options["json"]:
            self.stdout.write(json.dumps(result))
            return
        self.stdout.write(
            f"{region}: {result['model_version']} on {result['events']} events, "
            f"{len(refreshed.forecasts)} forecasts of {result['cells']} cells "
            f"({result['fit_seconds']} s fit, {result['forecast_seconds']} s forecast)."
        )
