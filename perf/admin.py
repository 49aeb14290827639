"""Staff pages of the kit; importing this module registers them."""

from perf.jobs.admin import JobAdmin, PeriodicRunAdmin
from perf.monitoring.admin import OperationsAdmin
from perf.realtime.admin import AnnouncementAdmin

__all__ = ["AnnouncementAdmin", "JobAdmin", "OperationsAdmin", "PeriodicRunAdmin"]
