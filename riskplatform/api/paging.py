"""Lists are given page by page; the cursor is the id of the last row."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import orjson
from django.db.models import Model, QuerySet
from msgspec import Meta, Struct

from riskplatform.api.renderers import OPTIONS

# A page ends early where its rows are large.
MAX_PAGE_BYTES: Final = 8_000_000

Row = TypeVar("Row", bound=Model)

Limit = Annotated[int, Meta(ge=1, le=1_000, description="Rows on a page.")]
Cursor = Annotated[UUID, Meta(description="`next` of the page before.")]


class PageQuery(Struct, forbid_unknown_fields=True):
    """Base of the query of a list; filters are added by inheriting."""

    after: Cursor | None = None
    limit: Limit = 100


def page_of(
    rows: QuerySet[Row],
    query: PageQuery,
    *,
    render: Callable[[Row], dict[str, Any]],
    newest_first: bool = False,
    rows_at_once: int | None = None,
) -> dict[str, Any]:
    """Give a page in the order of ids, which is the order of creation: one query.

    A page of `MAX_PAGE_BYTES` ends before `limit`, and `next` goes on from there.
    Where single rows may be large, `rows_at_once` bounds how many are read with one
    query.
    """
    results: list[orjson.Fragment] = []
    last, size = None, 0
    found = _rows(rows, query, newest_first=newest_first, at_once=rows_at_once)
    for row in found:
        if len(results) == query.limit or size > MAX_PAGE_BYTES:
            return {"results": results, "next": str(last)}
        written = orjson.dumps(render(row), default=str, option=OPTIONS)
        results.append(orjson.Fragment(written))
        last, size = row.pk, size + len(written)
    return {"results": results, "next": None}


def rows_of_page(
    rows: QuerySet[Row], query: PageQuery, *, newest_first: bool = False
) -> tuple[list[Row], str | None]:
    """Give the rows of a page, whatever their size, and its `next`: one query."""
    found = list(_rows(rows, query, newest_first=newest_first))
    page = found[: query.limit]
    return page, str(page[-1].pk) if len(found) > query.limit else None


def _rows(
    rows: QuerySet[Row],
    query: PageQuery,
    *,
    newest_first: bool,
    at_once: int | None = None,
) -> Iterator[Row]:
    """Read one row more than the page has, as the sign that there is another page."""
    step = "pk__lt" if newest_first else "pk__gt"
    ordered = rows.order_by("-pk" if newest_first else "pk")
    after, left = query.after, query.limit + 1
    while left:
        wanted = left if at_once is None else min(at_once, left)
        later = ordered if after is None else ordered.filter(**{step: after})
        part = list(later[:wanted])
        yield from part
        if len(part) < wanted:
            return
        after, left = part[-1].pk, left - wanted
