"""Fit a model of a region and publish its forecasts."""

import json
from argparse import ArgumentParser
from typing import Any

from riskplatform.api.keys.access import FULL_ACCESS
from riskplatform.kernel.commands import ApplicationCommand, add_dry_run, add_json
from riskplatform.kernel.instants import utc_text
from scoring.engine.models.registry import KINDS
from scoring.horizons import SERVED_KIND
from scoring.selectors.regions import get_region
from scoring.selectors.where_to_look import on_fitted
from scoring.services.registry.fitting import fit_model, instant_after_last_event


class Command(ApplicationCommand):
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
        add_dry_run(parser, "Say on how many events, and fit nothing.")
        add_json(parser)

    def handle(self, *, region: str, **options: Any) -> None:
        found = get_region(region, access=FULL_ACCESS)
        if options["dry_run"]:
            issued_for, n_events = instant_after_last_event(found)
            self.report(
                f"{region}: {options['model']} would be fitted on {n_events:,} events"
                f" before {utc_text(issued_for)}.",
                {"region": region, "events": n_events, "until": utc_text(issued_for)},
                options,
            )
            return
        fitted = fit_model(
            found,
            kind=options["model"],
            forced_because=options["promote"],
            progress=self.stderr.write,
        )
        result = {
            "region": region,
            "model_version": str(fitted.model_version),
            "forecasts": [str(forecast.pk) for forecast in fitted.forecasts],
            "notes": fitted.model_version.notes,
            "events": fitted.event_count,
            "cells": len(fitted.grid),
            "fit_seconds": round(fitted.fit_seconds, 3),
            "forecast_seconds": round(fitted.forecast_seconds, 3),
        }
        if options["json"]:
            self.stdout.write(json.dumps(result))
            return
        self.stdout.write(
            f"{region}: {result['model_version']} on {result['events']} events, "
            f"{len(fitted.forecasts)} forecasts of {result['cells']} cells "
            f"({result['fit_seconds']} s fit, {result['forecast_seconds']} s forecast)."
        )
        for line in on_fitted(fitted.model_version):
            self.stdout.write(line)
