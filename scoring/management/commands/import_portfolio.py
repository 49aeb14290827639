"""Read a file of assets into a portfolio."""

import json
from argparse import ArgumentParser
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from analytics.ingest.reading_options import ReadingOptions as FileOptions
from analytics.ingest.unpacking import ByteSource
from riskplatform.api.keys.models import Organisation
from riskplatform.api.keys.services import get_organisation
from riskplatform.kernel.commands import (
    ApplicationCommand,
    add_dry_run,
    add_json,
)
from scoring.errors import AssetFileError, AssetRowsError
from scoring.management.import_report import ProgressLine
from scoring.models import Portfolio
from scoring.services.imports.arguments import add_dialect, add_numbers
from scoring.services.imports.texts import asset_lines
from scoring.services.portfolios.asset_import import (
    AssetImport,
    ImportOptions,
    read_assets,
    store_assets,
)
from scoring.services.portfolios.asset_layouts import FORMATS, ReadingOptions
from scoring.services.portfolios.asset_values import fault_text
from scoring.services.portfolios.portfolios import create_portfolio

SHOWN_FAULTS = 20


class Command(ApplicationCommand):
    help = (
        "Read a CSV file of assets, plain or gzip, into a portfolio: all of it or "
        "nothing. It has id, lat, lon and value, or is an OED location file; --layout "
        "and --map read others. Every fault is listed with its row. Safe to repeat "
        "with --replace, and to interrupt."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV file, plain or gzip.")
        parser.add_argument(
            "--organisation", required=True, help="Slug of the organisation."
        )
        parser.add_argument("--portfolio", required=True, help="Name of the portfolio.")
        parser.add_argument(
            "--currency",
            metavar="CODE",
            help="Create the portfolio in this currency if it is new.",
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="A row replaces the asset with its reference.",
        )
        parser.add_argument(
            "--layout",
            choices=FORMATS,
            help="What program the file is for; by its header else.",
        )
        parser.add_argument(
            "--map",
            default="",
            metavar="FIELD=COLUMN,...",
            help="Columns by field, such as id=asset,value=building+contents.",
        )
        parser.add_argument(
            "--skip-unlocated",
            action="store_true",
            help="Leave out rows without coordinates, and count them.",
        )
        add_numbers(parser)
        add_dialect(parser)
        add_dry_run(parser)
        add_json(parser)

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            done = self._import(file, options)
        except AssetRowsError as error:
            for fault in error.faults[:SHOWN_FAULTS]:
                self.stderr.write(fault_text(fault))
            if len(error.faults) > SHOWN_FAULTS:
                self.stderr.write(f"… and {len(error.faults) - SHOWN_FAULTS} more.")
            raise CommandError(error.message) from error
        report = _report(done)
        if options["json"]:
            self.stdout.write(json.dumps(report))
            return
        self.stdout.write("\n".join(asset_lines(done, file=file.name)))

    def _import(self, file: Path, options: dict[str, Any]) -> AssetImport:
        # Before the transaction, which nobody else can write beside on SQLite.
        with ByteSource(file) as source:
            organisation = get_organisation(options["organisation"])
            line, started_s = ProgressLine(self.stderr), monotonic()
            assets = read_assets(
                source,
                name=file.name,
                reading=ReadingOptions(
                    layout=options["layout"],
                    column_map=options["map"],
                    is_skipping_unlocated=options["skip_unlocated"],
                    file=FileOptions.said(options),
                ),
                on_progress=lambda rows: line(
                    rows,
                    rows_per_s=rows / (monotonic() - started_s),
                    fraction=source.fraction,
                ),
            )
            if source.fault is not None:
                raise AssetFileError(source.fault.reason)
        with transaction.atomic():
            done = store_assets(
                _portfolio(organisation, options),
                assets,
                options=ImportOptions(
                    is_replacing=options["replace"],
                    is_dry_run=options["dry_run"],
                    replacing="--replace",
                ),
            )
            # A dry run leaves no portfolio behind.
            transaction.set_rollback(options["dry_run"])
        return done


def _portfolio(organisation: Organisation, options: dict[str, Any]) -> Portfolio:
    name = options["portfolio"]
    known = Portfolio.objects.for_organisation(organisation).filter(name=name).first()
    if known is None and options["currency"] is None:
        raise CommandError(
            f"{organisation.slug!r} has no portfolio {name!r}."
            " Add --currency USD to make it."
        )
    return known or create_portfolio(
        organisation, name=name, currency=options["currency"]
    )


def _report(done: AssetImport) -> dict[str, Any]:
    return {
        "portfolio_id": str(done.portfolio.pk),
        "portfolio": done.portfolio.name,
        "format": done.format,
        "rows": done.row_count,
        "created": done.created_count,
        "replaced": done.replaced_count,
        "outside_count": done.outside_count,
        "outside_value": str(done.outside_value),
        "asset_count": done.portfolio.asset_count,
        "total_value": str(done.portfolio.total_value),
        "currency": done.portfolio.currency,
        "dry_run": done.is_dry_run,
        "ignored_terms": done.ignored_terms,
        "without_curve_count": done.without_curve_count,
        "unlocated_count": done.unlocated_count,
        "repeated_count": done.repeated_count,
    }
