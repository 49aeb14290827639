"""Columns of lists that no field of the row itself gives."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.contrib import admin


def column(
    path: str, heading: str, *, shown: Callable[[Any], Any] | None = None
) -> Callable[[Any], Any]:
    """Show what a dotted path leads to, an annotation or a related row, sortably.

    `shown` makes something else of it, such as a yes or no.
    """
    find = attrgetter(path)

    @admin.display(
        description=heading,
        ordering=path.replace(".", "__"),
        boolean=True if shown is bool else None,
    )
    def show(row: Any) -> Any:
        return find(row) if shown is None else shown(find(row))

    return show
