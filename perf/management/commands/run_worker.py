"""Do the work that no request waits for."""

from argparse import ArgumentParser

from django.core.management.base import CommandError
from django.utils.module_loading import autodiscover_modules

from perf.jobs.periodic import run_due_work
from perf.jobs.runner import run_next_job
from perf.jobs.worker import Worker, loops
from riskplatform.api.structured_log import logged_process
from riskplatform.kernel.commands import ApplicationCommand


class Command(ApplicationCommand):
    help = (
        "Run jobs from the queue, periodic work and what has a loop of its own, such "
        "as events on their way to the store, until stopped. Safe to interrupt, "
        "to kill and to run several times at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--threads", type=int, default=2, help="Jobs to run at the same time."
        )
        parser.add_argument(
            "--once", action="store_true", help="Do what is due now, then end."
        )

    def handle(self, *, once: bool, threads: int, **_options: object) -> None:
        # Importing the tasks of each app registers them.
        autodiscover_modules("tasks")
        with logged_process("worker"):
            if once:
                self._work_once()
            elif not Worker(threads=threads).run():
                raise CommandError("The worker had to leave work to others.")

    def _work_once(self) -> None:
        for loop in loops.values():
            while loop.step():
                pass
        count = 0
        while run_next_job() is not None:
            count += 1
        works = run_due_work()
        self.stdout.write(f"{count} jobs run; done in turn: {', '.join(works)}.")
