"""Staff pages of the kit; importing this module registers them."""

from perf.jobs.admin import JobAdmin, PeriodicRunAdmin

__all__ = ["JobAdmin", "PeriodicRunAdmin"]
