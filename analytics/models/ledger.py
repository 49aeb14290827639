"""What was forecast and what came of it, cell by cell, as rows of ClickHouse."""

from clickhouse_backend import models

from analytics.models import columns


class ForecastCell(models.ClickhouseModel):  # type: ignore[misc]  # backend is untyped
    """The distribution that a forecast gives one cell."""

    forecast_id = models.UUIDField(primary_key=True)
    region = models.StringField(low_cardinality=True)
    model_version = models.StringField(low_cardinality=True)
    issued_for = columns.DateTime64Field(precision=3, codec="Delta, ZSTD(1)")
    horizon_s = columns.UInt32Field(codec="T64, ZSTD(1)")
    cell = columns.UInt64Field(codec="Delta, ZSTD(1)")
    mean = columns.Float64Field(codec="ZSTD(1)")
    alpha = columns.Float64Field(codec="ZSTD(1)")
    p_event = columns.Float64Field(codec="ZSTD(1)")
    q05 = columns.Float64Field(codec="ZSTD(1)")
    q50 = columns.Float64Field(codec="ZSTD(1)")
    q95 = columns.Float64Field(codec="ZSTD(1)")

    class Meta:
        # A region's forecasts are scored together; one forecast is one short range.
        engine = models.ReplacingMergeTree(
            order_by=("region", "issued_for", "forecast_id", "cell"),
            partition_by=columns.ToYear("issued_for"),
        )

    def __str__(self) -> str:
        return f"{self.forecast_id}/{self.cell:x}"


class ForecastOutcome(models.ClickhouseModel):  # type: ignore[misc]  # backend is untyped
    """How many events a cell had within the horizon of a forecast, as known later."""

    forecast_id = models.UUIDField(primary_key=True)
    region = models.StringField(low_cardinality=True)
    issued_for = columns.DateTime64Field(precision=3, codec="Delta, ZSTD(1)")
    cell = columns.UInt64Field(codec="Delta, ZSTD(1)")
    count = columns.UInt32Field(codec="T64, ZSTD(1)")
    observed_at = columns.DateTime64Field(precision=3, codec="Delta, ZSTD(1)")

    class Meta:
        engine = models.ReplacingMergeTree(
            "observed_at",
            order_by=("region", "issued_for", "forecast_id", "cell"),
            partition_by=columns.ToYear("issued_for"),
        )

    def __str__(self) -> str:
        return f"{self.forecast_id}/{self.cell:x}"
