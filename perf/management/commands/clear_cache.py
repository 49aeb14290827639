"""Empties the edge cache in all processes, and gives up answers of ClickHouse."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from perf.cache.edge.assembly import cache_bus
from perf.cache.versions import versions
from perf.shared_store import StoreUnavailableError


class Command(BaseCommand):
    help = "Have every process forget the answers it keeps. Safe while serving."

    def handle(self, **_options: Any) -> None:
        try:
            # Before the answers that are made of them.
            versions.renew_all()
            cache_bus().clear_everywhere()
        except StoreUnavailableError as error:
            raise CommandError(
                "Redis does not answer. Nothing kept is used until it does; try again"
                " then."
            ) from error
        self.stdout.write("All kept answers are forgotten.")
