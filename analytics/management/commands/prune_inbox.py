"""Take events that were shipped long ago out of the inbox."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Sum
from django.utils import timezone

from analytics.inbox.pruning import prunable, prune_inbox, retention
from riskplatform.kernel.commands import ApplicationCommand, add_dry_run, add_json


class Command(ApplicationCommand):
    help = (
        "Take events that were shipped long ago out of the inbox. What "
        "distinguishes repetitions, corrections and retractions stays, and so do the "
        "counts of each batch; "
        "ClickHouse is not touched. Safe to interrupt and to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=int,
            metavar="DAYS",
            default=retention().days,
            help="Days since shipping; INGEST_INBOX_RETENTION_DAYS by default.",
        )
        add_dry_run(parser, "Count what would go, and end.")
        add_json(parser)

    def handle(self, *, older_than: int, **options: Any) -> None:
        if older_than < 0:
            raise CommandError("--older-than is a number of days, 0 or more.")
        before = timezone.now() - timedelta(days=older_than)
        if options["dry_run"]:
            batches = prunable(before).order_by()
            accepted = batches.aggregate(count=Sum("accepted_count"))["count"] or 0
            self.report(
                f"{accepted:,} events of {batches.count():,} batches would be pruned.",
                {"events": accepted, "batches": batches.count()},
                options,
            )
            return
        report = prune_inbox(shipped_before=before)
        self.report(
            f"{report.event_count:,} events and {report.refused_count:,} refused rows"
            f" of {report.batch_count:,} batches pruned.",
            {
                "events": report.event_count,
                "refused_rows": report.refused_count,
                "batches": report.batch_count,
            },
            options,
        )
