"""Take events that were shipped long ago out of the inbox."""

from argparse import ArgumentParser
from datetime import timedelta

from django.core.management.base import CommandError
from django.db.models import Sum
from django.utils import timezone

from analytics.inbox.pruning import prunable, prune_inbox, retention
from riskplatform.kernel.commands import ApplicationCommand


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
        parser.add_argument(
            "--dry-run", action="store_true", help="Count what would go, and end."
        )

    def handle(self, *, older_than: int, dry_run: bool, **_options: object) -> None:
        if older_than < 0:
            raise CommandError("--older-than is a number of days, 0 or more.")
        before = timezone.now() - timedelta(days=older_than)
        if dry_run:
            batches = prunable(before).order_by()
            accepted = batches.aggregate(count=Sum("accepted_count"))["count"] or 0
            self.stdout.write(
                f"{accepted:,} events of {batches.count():,} batches would be pruned."
            )
            return
        report = prune_inbox(shipped_before=before)
        self.stdout.write(
            f"{report.event_count:,} events and {report.refused_count:,} refused rows"
            f" of {report.batch_count:,} batches pruned."
        )
