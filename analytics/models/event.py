"""Facts in ClickHouse: one row is one event as one source told it."""

from typing import Self

from clickhouse_backend import models
from clickhouse_backend.models.base import ClickhouseManager
from clickhouse_backend.models.query import QuerySet


class EventQuerySet(QuerySet):  # type: ignore[misc]  # backend is untyped
    def merged(self) -> Self:
        """Read each event once, as last told, and no event that was withdrawn."""
        # A duplicate shares its partition, because occurred_at is in the key.
        settings = {"final": 1, "do_not_merge_across_partitions_select_final": 1}
        merged: Self = self.filter(is_deleted=0).settings(**settings)
        return merged

    def of_region(self, region: str) -> Self:
        rows: Self = self.filter(region=region)
        return rows


class Event(models.ClickhouseModel):  # type: ignore[misc]  # backend is untyped
    """Something that happened at a place and a time, as one source told it."""

    region = models.StringField(low_cardinality=True)
    cell = models.UInt64Field()
    occurred_at = models.DateTime64Field(precision=3)
    ingested_at = models.DateTime64Field(precision=3)
    event_type = models.StringField(low_cardinality=True)
    source = models.StringField(low_cardinality=True)
    # Django wants one column as key; ClickHouse enforces none. The identity of
    # an event is (region, source, external_id), held by analytics.ingest.
    external_id = models.StringField(primary_key=True)
    lat = models.Float64Field()
    lon = models.Float64Field()
    severity = models.Float64Field(null=True)
    amount = models.Float64Field(null=True)
    attributes = models.MapField(
        models.StringField(low_cardinality=True), models.StringField(), default=dict
    )
    version = models.UInt64Field()
    # A row that withdraws what stood at its place in the order: an event that was
    # retracted, or that a correction moved elsewhere.
    is_deleted = models.UInt8Field(default=0)

    objects = ClickhouseManager.from_queryset(EventQuerySet)()

    class Meta:
        # The order serves `SELECT cell, … WHERE region = ? AND occurred_at < ?
        # GROUP BY cell`: one region is one range of the table, a cell's events
        # lie together in time order, and months outside the window are skipped
        # as partitions. source and external_id end the sorting key only to tell
        # events apart when rows are replaced; they would double the primary
        # index, which stays in memory, and speed up nothing.
        engine = models.ReplacingMergeTree(
            "version",
            order_by=("region", "cell", "occurred_at", "source", "external_id"),
            primary_key=("region", "cell", "occurred_at"),
            partition_by=models.toYYYYMM("occurred_at"),
        )

    def __str__(self) -> str:
        return f"{self.source}/{self.external_id}"
