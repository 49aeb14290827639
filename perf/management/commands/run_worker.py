"""Run jobs from the queue, and the work that comes round."""

from argparse import ArgumentParser
from importlib import import_module

from django.core.management.base import BaseCommand, CommandError

from scoring.management.worker import Worker
from scoring.services.jobs.periodic import run_due_work
from scoring.services.jobs.running import run_next_job

RUNNERS = "scoring.tasks"


class Command(BaseCommand):
    help = (
        "Run jobs from the queue, and the work that comes round, until asked to stop. "
        "Safe to interrupt, to kill and to run several times at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--threads", type=int, default=2, help="Jobs to run at the same time."
        )
        parser.add_argument(
            "--once", action="store_true", help="Do what is due now, then end."
        )

    def handle(self, *, once: bool, threads: int, **_options: object) -> None:
        # Importing the runners registers them.
        import_module(RUNNERS)
        if once:
            self._work_once()
        elif not Worker(threads=threads).run():
            raise CommandError("The worker had to leave work to others.")

    def _work_once(self) -> None:
        count = 0
        while run_next_job() is not None:
            count += 1
        works = run_due_work()
        self.stdout.write(f"{count} jobs run; done in turn: {', '.join(works)}.")
