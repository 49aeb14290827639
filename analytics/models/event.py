"""Facts in ClickHouse: one row is one event as one source sent it."""

from typing import Self

from clickhouse_backend import models
from clickhouse_backend.models.base import ClickhouseManager
from clickhouse_backend.models.query import QuerySet

from analytics.models import columns


class EventQuerySet(QuerySet):  # type: ignore[misc]  # backend is untyped
    def merged(self) -> Self:
        """Read the last version of each event, and no event that was withdrawn."""
        # A duplicate shares its partition, because occurred_at is in the key.
        settings = {"final": 1, "do_not_merge_across_partitions_select_final": 1}
        merged: Self = self.filter(is_deleted=0).settings(**settings)
        return merged


LISTED = (
    *("external_id", "source", "region", "cell", "occurred_at", "ingested_at"),
    *("event_type", "lat", "lon", "severity", "amount", "attributes"),
)


class Event(models.ClickhouseModel):  # type: ignore[misc]  # backend is untyped
    """Something that happened at a place and a time, as one source sent it."""

    region = models.StringField(low_cardinality=True)
    cell = columns.UInt64Field(codec="Delta, ZSTD(1)")
    # Many sources send whole minutes, which GCD makes small numbers of.
    occurred_at = columns.DateTime64Field(precision=3, codec="GCD, Delta, ZSTD(1)")
    ingested_at = columns.DateTime64Field(precision=3, codec="ZSTD(6)")
    event_type = columns.StringField(low_cardinality=True, codec="ZSTD(1)")
    source = models.StringField(low_cardinality=True)
    # Django wants one column as key; ClickHouse enforces none. The identity of
    # an event is (region, source, external_id), held by analytics.ingest.
    external_id = columns.StringField(primary_key=True, codec="ZSTD(3)")
    # SQL reads lat_e7 / 1e7; the model speaks of degrees.
    lat = columns.DegreesField(db_column="lat_e7", codec="T64('bit'), ZSTD(3)")
    lon = columns.DegreesField(db_column="lon_e7", codec="T64('bit'), ZSTD(3)")
    # Gorilla is larger than ZSTD here: neighbouring events share whole amounts, not
    # leading bits.
    severity = columns.Float64Field(null=True, codec="ZSTD(3)")
    amount = columns.Float64Field(null=True, codec="ZSTD(6)")
    attributes = columns.MapField(
        models.StringField(low_cardinality=True),
        models.StringField(),
        default=dict,
        codec="ZSTD(1)",
    )
    version = columns.UInt64Field(codec="ZSTD(6)")
    # A row that withdraws the one with its sorting key: an event that was
    # retracted, or that a correction moved elsewhere.
    is_deleted = columns.UInt8Field(default=0, codec="ZSTD(1)")

    objects = ClickhouseManager.from_queryset(EventQuerySet)()

    class Meta:
        # The order serves `SELECT cell, … WHERE region = ? AND occurred_at < ?
        # GROUP BY cell`: one region is one range of the table, a cell's events
        # lie together in time order, and years outside the window are skipped
        # as partitions. source and external_id end the sorting key only to
        # distinguish events when rows are replaced; they would double the primary
        # index, which stays in memory, and speed up nothing.
        engine = models.ReplacingMergeTree(
            "version",
            order_by=("region", "cell", "occurred_at", "source", "external_id"),
            primary_key=("region", "cell", "occurred_at"),
            # Months would be many and nearly empty where a history is long.
            partition_by=columns.ToYear("occurred_at"),
        )
        indexes = (
            models.Index(
                fields=("external_id",),
                name="external_id_bloom",
                type=models.BloomFilter(0.25),
                granularity=4,
            ),
            models.Index(
                fields=("ingested_at",),
                name="ingested_at_minmax",
                type=models.MinMax(),
                granularity=4,
            ),
            models.Index(
                fields=("severity",),
                name="severity_minmax",
                type=models.MinMax(),
                granularity=4,
            ),
            models.Index(
                fields=("event_type",),
                name="event_type_set",
                type=models.Set(100),
                granularity=4,
            ),
        )

    def __str__(self) -> str:
        return f"{self.source}/{self.external_id}"
