"""The tables of the kit; import them from here."""

from django.db import models

from perf.jobs.models import Job, PeriodicRun

__all__ = ["EdgeCacheStatus", "Job", "PeriodicRun"]


class EdgeCacheStatus(models.Model):
    """What the caches of all processes hold and have done."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = (("clear_edgecache", "Can clear the edge cache"),)
        verbose_name = verbose_name_plural = "edge cache"

    def __str__(self) -> str:
        return "edge cache"
