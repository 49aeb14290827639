"""Imports of files: how the files of a source are read, and how far a run got."""

from django.db import models
from django.utils import timezone

from riskplatform.kernel.ids import uuid7


class ImportSource(models.Model):
    """How files of one source are read; its name is also the source of the events."""

    name = models.CharField(max_length=100, unique=True)
    column_map = models.TextField(help_text="occurred_at=time,lat=Y,lon=X")
    file_format = models.CharField(
        max_length=10, blank=True, help_text="Empty: told by the name of the file."
    )
    times_in = models.CharField(
        max_length=64, blank=True, help_text="Zone of times without an offset."
    )
    options = models.JSONField(
        default=dict, blank=True, help_text="How the files are written, by option."
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class ImportRun(models.Model):
    """One run over one file; `rows_done` rows of it are stored or refused for good.

    That holds for the file, not the run: the next run may begin behind it.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        BROKEN_OFF = "broken_off"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.RUNNING
    )
    source = models.CharField(max_length=100)
    region = models.CharField(max_length=50)
    file = models.CharField(max_length=255)
    file_bytes = models.BigIntegerField()
    file_digest = models.CharField(max_length=64)
    fingerprint = models.CharField(
        max_length=64, help_text="Of all that decides what the rows become."
    )
    rows_done = models.BigIntegerField(default=0)
    accepted_count = models.BigIntegerField(default=0)
    duplicate_count = models.BigIntegerField(default=0)
    refused_by_code = models.JSONField(default=dict)
    started_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-started_at", "pk")
        indexes = (
            models.Index(
                fields=("file_digest", "fingerprint", "started_at"),
                name="analytics_importrun_file",
            ),
        )

    def __str__(self) -> str:
        return f"{self.file} ({self.state})"
