"""Counts of events, made ready per year for reports; see `analytics.store.rollups`.

A row whose region is empty counts nothing: it says from which parts of the event
table its year was computed.
"""

from clickhouse_backend import models

from analytics.models import columns


class EventHour(models.ClickhouseModel):  # type: ignore[misc]  # backend is untyped
    """How many events of a type a region had in one hour."""

    region = models.StringField(low_cardinality=True, primary_key=True)
    hour = columns.DateTime64Field(precision=0, codec="Delta, ZSTD(1)")
    event_type = columns.StringField(low_cardinality=True, codec="ZSTD(1)")
    count = columns.SumField(codec="T64, ZSTD(1)")

    class Meta:
        engine = models.AggregatingMergeTree(
            order_by=("region", "hour", "event_type"),
            partition_by=columns.ToYear("hour"),
        )

    def __str__(self) -> str:
        return f"{self.region} at {self.hour}"


class EventDay(models.ClickhouseModel):  # type: ignore[misc]  # backend is untyped
    """How many events of a type a region had on one day of UTC, and how severe."""

    region = models.StringField(low_cardinality=True, primary_key=True)
    day = columns.Date32Field(codec="Delta, ZSTD(1)")
    event_type = columns.StringField(low_cardinality=True, codec="ZSTD(1)")
    count = columns.SumField(codec="T64, ZSTD(1)")
    severity_count = columns.SumField(codec="T64, ZSTD(1)")
    severity_sum = columns.FloatSumField(codec="ZSTD(1)")
    amount_sum = columns.FloatSumField(codec="ZSTD(1)")
    # How many severities lie in each bucket; see BUCKET in analytics.store.rollups.
    severity_buckets = columns.SumMapField(
        models.Int32Field(), models.UInt64Field(), codec="ZSTD(3)"
    )

    class Meta:
        engine = models.AggregatingMergeTree(
            order_by=("region", "day", "event_type"),
            partition_by=columns.YearOfDate("day"),
        )

    def __str__(self) -> str:
        return f"{self.region} on {self.day}"


class EventCellDay(models.ClickhouseModel):  # type: ignore[misc]  # backend is untyped
    """How many events of a type a cell had on one day of UTC."""

    region = models.StringField(low_cardinality=True, primary_key=True)
    cell = columns.UInt64Field(codec="Delta, ZSTD(1)")
    day = columns.Date32Field(codec="Delta, ZSTD(1)")
    event_type = columns.StringField(low_cardinality=True, codec="ZSTD(1)")
    count = columns.SumField(codec="ZSTD(3)")

    class Meta:
        engine = models.AggregatingMergeTree(
            order_by=("region", "cell", "day", "event_type"),
            primary_key=("region", "cell", "day"),
            partition_by=columns.YearOfDate("day"),
        )

    def __str__(self) -> str:
        return f"cell {self.cell:x} on {self.day}"
