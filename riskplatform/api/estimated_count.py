"""Counts rows of large tables for lists that page through them."""

from typing import Any

from django.core.paginator import Paginator
from django.db import connections
from django.db.models import QuerySet
from django.utils.functional import cached_property

# Below this an exact count takes milliseconds, and people notice what is missing.
EXACT_BELOW = 50_000
ESTIMATE = "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)"


class EstimatedCountPaginator(Paginator[Any]):
    """Takes the planner's estimate for all rows of a large PostgreSQL table.

    Whatever is filtered is counted, and so is everything in other databases.
    """

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet) and _is_whole_table(rows):
            estimate = _estimate(rows)
            if estimate >= EXACT_BELOW:
                return estimate
        return super().count


def _is_whole_table(rows: "QuerySet[Any]") -> bool:
    query = rows.query
    is_narrowed = query.where or query.is_sliced or query.distinct
    return not is_narrowed and connections[rows.db].vendor == "postgresql"


def _estimate(rows: "QuerySet[Any]") -> int:
    """Return -1 for a table that PostgreSQL has not looked at yet."""
    connection = connections[rows.db]
    table = connection.ops.quote_name(rows.model._meta.db_table)  # noqa: SLF001 - documented interface of Django
    with connection.cursor() as cursor:
        cursor.execute(ESTIMATE, [table])
        (estimate,) = cursor.fetchone()
    return -1 if estimate is None else int(estimate)
