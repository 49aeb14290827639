"""Messages that are committed with what they tell of, until a stream has them."""

from typing import ClassVar

from django.db import models


class Announcement(models.Model):
    """A message to a group; its row goes once it lies in the group's stream."""

    # In the order of the keys, which is that of writes to one row.
    group = models.CharField(max_length=100)
    message_id = models.UUIDField()
    body = models.BinaryField(help_text="A JSON object.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        indexes: ClassVar = (
            models.Index(fields=("group", "id"), name="perf_announcement_order"),
        )

    def __str__(self) -> str:
        return f"{self.message_id} to {self.group}"
