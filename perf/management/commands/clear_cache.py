"""Empties the cache of responses in all processes, and that of values in Redis."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from perf.cache.change_feed import feed
from perf.shared_store import StoreUnavailableError


class Command(BaseCommand):
    help = "Have every process forget what it has cached. Safe while serving."

    def handle(self, **_options: Any) -> None:
        try:
            feed.clear_everywhere()
        except StoreUnavailableError as error:
            raise CommandError(
                "Redis does not answer. No cache is used until it does; try again then."
            ) from error
        self.stdout.write("All that was cached is forgotten.")
