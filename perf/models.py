"""The tables of the kit; import them from here."""

from perf.jobs.models import Job, PeriodicRun

__all__ = ["Job", "PeriodicRun"]
