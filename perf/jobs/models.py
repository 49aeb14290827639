"""Work that outlives a request, and work that is done again and again."""

from typing import Self

from django.db import models

from perf.jobs.claims import Leased, LeasedQuerySet
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.ids import uuid7


class JobQuerySet(LeasedQuerySet["Job"]):
    def for_organisation(self, organisation: Organisation) -> Self:
        return self.filter(organisation=organisation)

    def unfinished(self) -> Self:
        return self.filter(state__in=(Job.State.QUEUED, Job.State.RUNNING))


class Job(Leased):
    """A piece of work in the queue, with how far it has come and what came of it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.CASCADE,
        related_name="jobs",
        null=True,
        blank=True,
        help_text="Empty: the platform's own.",
    )
    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    parameters = models.JSONField(default=dict)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="A sentence for the client.")
    traceback = models.TextField(blank=True, help_text="For staff.")
    is_cancel_asked = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=("state", "due_at"), name="perf_job_queue"),)

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"


class PeriodicRun(Leased):
    """One row for each periodic work: when it is due, who does it, how it ended."""

    longest_wait_s = 60.0

    name = models.CharField(primary_key=True, max_length=60)
    run_count = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="Of the last run, if it failed.")

    objects = LeasedQuerySet["PeriodicRun"].as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
