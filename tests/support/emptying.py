"""Empties the tables of PostgreSQL after a test that commits, row by row.

Django truncates them, which makes new files for each of some fifty tables and their
indexes, and takes twenty times as long as deleting the few rows of a test.
"""

from collections.abc import Generator, Sequence
from typing import Any

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations


@pytest.fixture(scope="session", autouse=True)
def tables_are_emptied_by_rows() -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", _delete_all)
        yield


def _delete_all(
    operations: DatabaseOperations,
    style: object,
    tables: Sequence[str],
    **options: Any,
) -> list[str]:
    """Give one text; foreign keys are checked when its transaction ends."""
    assert not options.get("reset_sequences"), "Deleting leaves sequences as they are."
    names = map(operations.quote_name, tables)
    return [";".join(f"DELETE FROM {name}" for name in names)] if tables else []  # noqa: S608 - names of tables
