"""Where forecasts are made: areas of interest and their grid cells."""

from typing import Self

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Count, Q

from riskplatform.api.keys.access import Access, regions_seen
from riskplatform.api.keys.models import Organisation


class RegionQuerySet(models.QuerySet["Region"]):
    def seen_by(self, access: Access) -> Self:
        return self.filter(regions_seen(access))

    def with_cell_count(self) -> Self:
        """Add `cell_count`, one query for any page size."""
        return self.annotate(cell_count=Count("cells"))


class Region(models.Model):
    """An area of interest with a time zone, an H3 resolution and a list of cells."""

    class SeverityTransform(models.TextChoices):
        NONE = "none", "every event counts 1"
        LOG = "log", "log(1 + severity)"
        MAGNITUDE = "magnitude", "10^(c (magnitude - m0))"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64, help_text="IANA name, America/Chicago.")
    resolution = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(15)], help_text="H3 resolution, 0 to 15."
    )
    severity_transform = models.CharField(
        max_length=16,
        choices=SeverityTransform.choices,
        default=SeverityTransform.NONE,
    )
    owner = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="regions",
        null=True,
        blank=True,
        help_text="Whose keys and members see it and change its models; empty: the "
        "installation, and so its staff.",
    )
    is_public = models.BooleanField(
        default=False, help_text="Anybody may read the forecasts, without signing in."
    )
    observed_since = models.DateTimeField(
        null=True, blank=True, help_text="Events are complete from here on."
    )
    source_credit = models.CharField(max_length=300, blank=True)
    source_url = models.URLField(blank=True)
    boundary = models.JSONField(
        null=True, blank=True, help_text="GeoJSON FeatureCollection of named areas."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RegionQuerySet.as_manager()

    class Meta:
        ordering = ("slug",)
        constraints = (
            models.CheckConstraint(
                condition=Q(resolution__lte=15), name="scoring_region_resolution_range"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Cell(models.Model):
    """One H3 cell of a region: the unit of forecast."""

    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="cells")
    h3 = models.BigIntegerField(help_text="64-bit H3 index.")
    lat = models.FloatField(help_text="Latitude of the centre, degrees.")
    lon = models.FloatField(help_text="Longitude of the centre, degrees.")
    area_km2 = models.FloatField()

    class Meta:
        ordering = ("region", "h3")
        constraints = (
            models.UniqueConstraint(
                fields=("region", "h3"), name="scoring_cell_region_h3_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.h3:x}"
