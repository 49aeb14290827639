"""Large tables are counted roughly, and small ones exactly."""

import pytest
from django.db import connection
from django.db.models import QuerySet
from pytest_django import DjangoAssertNumQueries

from riskplatform.api import estimated_count
from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.keys.models import Organisation
from tests.support.factories import make_organisation

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
ROWS = Organisation.objects.order_by("slug")


@pytest.fixture
def organisations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make 20 rows that PostgreSQL has counted, and one since; 20 is large here."""
    monkeypatch.setattr(estimated_count, "EXACT_BELOW", 20)
    for number in range(20):
        make_organisation(f"organisation-{number}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    make_organisation("one-more")


def count_of(rows: QuerySet[Organisation] | list[Organisation]) -> int:
    return EstimatedCountPaginator(rows, 10).count


@pytest.mark.usefixtures("organisations")
def test_all_rows_of_a_large_table_are_estimated() -> None:
    expected = 20 if connection.vendor == "postgresql" else 21
    assert count_of(ROWS.all()) == expected


@pytest.mark.usefixtures("organisations")
def test_what_is_narrowed_is_counted() -> None:
    assert count_of(ROWS.exclude(slug="one-more")) == 20
    assert count_of(ROWS.filter(slug__startswith="o")) == 21
    assert count_of(ROWS.none()) == 0
    assert count_of(ROWS.all()[:21]) == 21
    assert count_of(list(ROWS)) == 21


@pytest.mark.usefixtures("organisations")
def test_a_small_table_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimated_count, "EXACT_BELOW", 1_000)
    assert count_of(ROWS.all()) == 21


def test_a_table_nobody_has_looked_at_is_counted(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    make_organisation()
    with django_assert_max_num_queries(2):
        assert count_of(ROWS.all()) == 1
