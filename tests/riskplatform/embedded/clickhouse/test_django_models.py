from collections.abc import Callable, Generator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from clickhouse_backend import models
from django.db.models import Avg, Count, Max, Sum
from pytest_django import DjangoDbBlocker

from tests.riskplatform.embedded.clickhouse.djangomodels import (
    create_table,
    drop_table,
    model_class,
    rows,
)

MakeModel = Callable[..., Any]
MOMENT = datetime(2024, 2, 29, 12, 30, 15, 123000, tzinfo=UTC)
VALUES: dict[str, tuple[models.fields.FieldMixin, object]] = {
    "int64": (models.Int64Field(), -(2**63)),
    "uint64": (models.UInt64Field(), 2**64 - 1),
    "uint256": (models.UInt256Field(), 2**256 - 1),
    "float32": (models.Float32Field(), 1.5),
    "float64": (models.Float64Field(), 0.1),
    "decimal": (
        models.DecimalField(max_digits=20, decimal_places=3),
        Decimal("12345678901234567.891"),
    ),
    "bool": (models.BoolField(), True),
    "string": (models.StringField(), "schön ' \\ \n"),
    "fixed": (models.FixedStringField(max_bytes=3), "abc"),
    "low": (models.StringField(low_cardinality=True), "theft"),
    "low_null": (models.StringField(low_cardinality=True, null=True), None),
    "nullable": (models.Int32Field(null=True), None),
    "uuid": (models.UUIDField(), UUID("0d6ba0a5-7f1e-4a57-9d0a-3c4a1ddc3a11")),
    "date": (models.DateField(), date(2024, 2, 29)),
    "date32": (models.Date32Field(), date(1900, 1, 1)),
    "datetime": (models.DateTimeField(), MOMENT.replace(microsecond=0)),
    "datetime64": (models.DateTime64Field(precision=3), MOMENT),
    "enum": (models.Enum8Field(choices=[(1, "low"), (2, "high")]), 2),
    "ipv4": (models.IPv4Field(), "1.2.3.4"),
    "ipv6": (models.IPv6Field(), "2001:db8::1"),
    "array": (models.ArrayField(models.StringField()), ["a", "", "b"]),
    "map": (
        models.MapField(models.StringField(), models.Int64Field()),
        {"a": 1, "b": -2},
    ),
    "tuple": (
        models.TupleField([("x", models.Float64Field()), ("n", models.StringField())]),
        (1.5, "n"),
    ),
}


@pytest.fixture
def make_model(django_db_blocker: DjangoDbBlocker) -> Generator[MakeModel]:
    made = []

    def make(name: str, **fields: object) -> Any:
        model = model_class(name, id=models.UInt64Field(primary_key=True), **fields)
        create_table(model)
        made.append(model)
        return model

    with django_db_blocker.unblock():
        yield make
        for model in made:
            drop_table(model)


@pytest.fixture
def event(make_model: MakeModel) -> Any:
    return make_model(
        "Event",
        kind=models.StringField(low_cardinality=True),
        amount=models.Float64Field(null=True),
    )


def fill(event: Any, count: int) -> None:
    rows(event).bulk_create(
        [event(id=i, kind=f"kind {i % 4}", amount=float(i)) for i in range(count)]
    )


@pytest.mark.parametrize("name", list(VALUES))
def test_a_field_keeps_its_value(make_model: MakeModel, name: str) -> None:
    field, value = VALUES[name]
    model = make_model("Kept", value=field.clone())
    rows(model).create(id=1, value=value)
    stored = rows(model).get(id=1).value
    assert (tuple(stored) if isinstance(stored, tuple) else stored) == value


def test_many_rows_are_created_counted_and_aggregated(event: Any) -> None:
    fill(event, 20_000)
    summary = rows(event).aggregate(Count("id"), Sum("amount"), Max("id"))
    assert summary == {
        "id__count": 20_000,
        "amount__sum": 199_990_000.0,
        "id__max": 19_999,
    }


def test_groups_are_counted_and_averaged(event: Any) -> None:
    fill(event, 100)
    groups = rows(event).values("kind").annotate(n=Count("id"), mean=Avg("amount"))
    assert list(groups.order_by("kind")[:2]) == [
        {"kind": "kind 0", "n": 25, "mean": 48.0},
        {"kind": "kind 1", "n": 25, "mean": 49.0},
    ]


def test_iterator_yields_every_row_once(event: Any) -> None:
    fill(event, 70_000)
    ids = rows(event).order_by("id").values_list("id", flat=True)
    assert list(ids.iterator(chunk_size=1_000)) == list(range(70_000))


def test_an_abandoned_iterator_leaves_the_connection_usable(event: Any) -> None:
    fill(event, 70_000)
    iterator = rows(event).iterator(chunk_size=10)
    next(iterator)
    iterator.close()
    assert rows(event).count() == 70_000


def test_filters_of_every_kind_find_their_rows(event: Any) -> None:
    fill(event, 10)
    found = rows(event).filter(kind__in=["kind 1", "kind 2"], amount__gte=2.0)
    assert sorted(found.values_list("id", flat=True)) == [2, 5, 6, 9]
    assert rows(event).filter(kind__icontains="KIND 3").count() == 2
    assert not rows(event).filter(kind="none").exists()


def test_deleted_rows_are_gone_at_once(event: Any) -> None:
    fill(event, 100)
    rows(event).filter(id__lt=40).delete()
    assert rows(event).count() == 60


def test_updated_rows_have_their_new_value_at_once(event: Any) -> None:
    fill(event, 100)
    assert rows(event).filter(id__lt=10).update(kind="changed") == 10
    assert rows(event).filter(kind="changed").count() == 10


def test_an_empty_queryset_still_answers(event: Any) -> None:
    assert list(rows(event).filter(id=1)) == []
    assert rows(event).aggregate(Sum("amount")) == {"amount__sum": None}
