"""Writes many rows at once: COPY on PostgreSQL, one prepared statement elsewhere."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

from perf.deadlines import watched

Value = str | int | float | bytes | UUID | Decimal | datetime | None


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Value]]
) -> None:
    """Insert rows of values that the database takes as they are.

    `columns` are the model's own column names, never input.
    """
    alias = router.db_for_write(model)
    options = model._meta  # noqa: SLF001 - documented interface of Django
    quote = connections[alias].ops.quote_name
    target = f"{quote(options.db_table)} ({', '.join(map(quote, columns))})"
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor != "postgresql":
            values = list(watched(rows))
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {target} VALUES ({marks})", values)  # noqa: S608 - names of the model
            return
        # Django translates the errors of statements, not those of a copy.
        with (
            connections[alias].wrap_database_errors,
            cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(_types(model, columns, connections[alias]))
            for row in watched(rows):
                copy.write_row(row)


def _types(
    model: type[models.Model], columns: Sequence[str], connection: BaseDatabaseWrapper
) -> list[str]:
    """Name the types of the columns, without their lengths."""
    options = model._meta  # noqa: SLF001 - documented interface of Django
    declared = {it.column: it.db_type(connection) for it in options.local_fields}
    return [str(declared[name]).partition("(")[0] for name in columns]
