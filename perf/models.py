"""A name for the admin to show the caches under; there is no table behind it."""

from django.db import models


class EdgeCacheStatus(models.Model):
    """What the caches of all processes hold and have done."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = (("clear_edgecache", "Can clear the edge cache"),)
        verbose_name = verbose_name_plural = "edge cache"

    def __str__(self) -> str:
        return "edge cache"
