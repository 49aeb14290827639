"""The tables of the kit; import them from here."""

from perf.jobs.models import Job, PeriodicRun
from perf.monitoring.models import MetricReading
from perf.realtime.models import Announcement

__all__ = ["Announcement", "Job", "MetricReading", "PeriodicRun"]
