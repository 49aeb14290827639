"""When work that comes round was done last, and who does it now."""

from django.db import models


class PeriodicRun(models.Model):
    """One row for each work that comes round; the lease lets one process do it."""

    name = models.CharField(primary_key=True, max_length=60)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    runner = models.CharField(max_length=100, blank=True)
    run_count = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="Of the last run, if it failed.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
