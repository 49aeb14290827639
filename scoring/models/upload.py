"""Files that people upload by a browser, until they are deleted."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone

from perf.jobs.models import Job
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.ids import uuid7


class Upload(models.Model):
    """A file in the folder of uploads, and what its next import is to do.

    `instructions` are what its page was told, `job` its last import or dry run.
    """

    class Kind(models.TextChoices):
        EVENTS = "events", "events of a region"
        ASSETS = "assets", "assets of a portfolio"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=150)
    size_bytes = models.BigIntegerField(help_text="As it lies on the disk.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.CASCADE,
        related_name="uploads",
        null=True,
        help_text="Whose the rows are; empty: the installation's.",
    )
    instructions = models.JSONField(default=dict)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, related_name="+", null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-created_at", "pk")

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> Path:
        return Path(settings.UPLOADS_DIR) / str(self.pk)

    @property
    def path(self) -> Path:
        return self.folder / self.name
