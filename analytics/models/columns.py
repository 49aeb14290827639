"""Column types that ClickHouse has and its Django backend has not."""

from typing import Any

from clickhouse_backend import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Value

from analytics.grid import degrees_of, unit_of

Parameters = dict[str, Any]


class WithCodec:
    """Adds `CODEC(…)` to the definition of a column, and only there."""

    def __init__(self, *args: Any, codec: str = "", **kwargs: Any) -> None:
        self.codec = codec
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], Parameters]:
        name, path, args, kwargs = super().deconstruct()  # type: ignore[misc]  # a mixin of fields
        return name, path, args, {**kwargs, "codec": self.codec}

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Parameters:
        parameters = super().db_parameters(connection)  # type: ignore[misc]  # a mixin of fields
        if not self.codec:
            return dict(parameters)
        return {**parameters, "type": f"{parameters['type']} CODEC({self.codec})"}


class StringField(WithCodec, models.StringField):  # type: ignore[misc]  # backend is untyped
    pass


class UInt8Field(WithCodec, models.UInt8Field):  # type: ignore[misc]  # backend is untyped
    pass


class UInt32Field(WithCodec, models.UInt32Field):  # type: ignore[misc]  # backend is untyped
    pass


class UInt64Field(WithCodec, models.UInt64Field):  # type: ignore[misc]  # backend is untyped
    pass


class Float32Field(WithCodec, models.Float32Field):  # type: ignore[misc]  # backend is untyped
    pass


class Float64Field(WithCodec, models.Float64Field):  # type: ignore[misc]  # backend is untyped
    pass


class Date32Field(WithCodec, models.Date32Field):  # type: ignore[misc]  # backend is untyped
    pass


class DateTime64Field(WithCodec, models.DateTime64Field):  # type: ignore[misc]  # backend is untyped
    pass


class DegreesField(WithCodec, models.Int32Field):  # type: ignore[misc]  # backend is untyped
    """Degrees of latitude or longitude, stored as ten-millionths (about a centimetre).

    Sources send decimal degrees, and whole numbers of a cell lie close together:
    they take half the room that floats do. Up to seven decimals come back unchanged.
    """

    def from_db_value(self, value: int | None, *_: object) -> float | None:
        return None if value is None else degrees_of(value)

    def get_prep_value(self, value: float | None) -> int | None:
        return None if value is None else unit_of(value)


class MapField(WithCodec, models.MapField):  # type: ignore[misc]  # backend is untyped
    pass


class SumField(UInt64Field):
    """A count that grows by merging: rows of one key become one row."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return f"SimpleAggregateFunction(sum, {super().db_type(connection)})"


class FloatSumField(Float64Field):
    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return f"SimpleAggregateFunction(sum, {super().db_type(connection)})"


class SumMapField(MapField):
    """Counts by number: merging adds up those of one number."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return f"SimpleAggregateFunction(sumMap, {super().db_type(connection)})"


class ToYear(models.toYYYYMM):  # type: ignore[misc]  # backend is untyped
    """The year of a time in UTC, or of a date."""

    function = "toYear"

    def __init__(self, *expressions: Any) -> None:
        super().__init__(*expressions)
        if len(expressions) == 1:
            what, _ = self.get_source_expressions()
            self.set_source_expressions([what, Value("UTC")])


class YearOfDate(models.toStartOfMinute):  # type: ignore[misc]  # backend is untyped
    """A date has no time zone, and ClickHouse refuses one."""

    function = "toYear"
    output_field = models.UInt32Field()
