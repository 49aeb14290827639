"""Imports an uploaded file of events, or tries that to find out how it is read."""

import shlex
from argparse import Namespace

from scoring.models import Upload
from scoring.services.imports.arguments import parse_words
from scoring.services.imports.instructions import EventInstructions
from scoring.services.imports.outcome import SHOWN_REJECTIONS, ImportOutcome, OnFraction
from scoring.services.imports.proposals import first_rows, propose
from scoring.services.imports.requests import request_of
from scoring.services.imports.running import Imported, import_into
from scoring.services.imports.texts import report_lines


def run_event_import(
    upload: Upload,
    instructions: EventInstructions,
    *,
    dry_run: bool,
    on_fraction: OnFraction,
) -> ImportOutcome:
    """Import the events of an uploaded file; a dry run adds options that fit."""
    owner, new = upload.organisation, instructions.new
    running = Namespace(
        dry_run=dry_run,
        update=instructions.updates,
        organisation=None if owner is None else owner.slug,
    )
    given = parse_words(instructions.words, running)

    def run(options: Namespace) -> Imported:
        return import_into(
            instructions.region,
            upload.path,
            new=None if new is None else new.region(instructions.region, owner=owner),
            request=request_of(upload.path, options),
            on_progress=lambda known: on_fraction(known.fraction or 0.0),
        )

    added, done = propose(upload.path, given, run) if dry_run else ((), run(given))
    request = request_of(upload.path, parse_words(added, given))
    columns, rows = first_rows(upload.path, request)
    return ImportOutcome(
        lines=list(report_lines(done.report, region=done.region)),
        columns=list(columns),
        rows=rows,
        rejections=[str(it) for it in done.report.rejected[:SHOWN_REJECTIONS]],
        words=shlex.join((*instructions.words, *added)),
        taken=done.report.accepted,
        resolution=done.report.proposed_resolution,
    )
