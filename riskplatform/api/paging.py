"""Lists are given page by page; the cursor is the id of the last row."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec
from django.db.models import Model, QuerySet
from msgspec import Meta, Struct

# A page ends early where its rows are large.
MAX_PAGE_BYTES: Final = 8_000_000

Row = TypeVar("Row", bound=Model)
Answer = TypeVar("Answer")

Limit = Annotated[int, Meta(ge=1, le=1_000, description="Rows on a page.")]
Cursor = Annotated[UUID, Meta(description="`next` of the page before.")]


class PageQuery(Struct, forbid_unknown_fields=True):
    """Base of the query of a list; filters are added by inheriting."""

    after: Cursor | None = None
    limit: Limit = 100


class Paged(Protocol):
    """A query with a cursor of any kind."""

    @property
    def after(self) -> Any: ...
    @property
    def limit(self) -> int: ...


class Page(Struct, Generic[Answer]):
    results: list[Answer]
    next: str | None


def page_of(
    rows: QuerySet[Row],
    query: Paged,
    render: Callable[[Row], Answer],
    *,
    key: str = "pk",
    newest_first: bool = False,
    rows_at_once: int | None = None,
) -> Page[Answer]:
    """Give a page in the order of `key`, by default that of creation: one query.

    A page of `MAX_PAGE_BYTES` ends before `limit`, and `next` goes on from there.
    Where single rows may be large, `rows_at_once` bounds how many are read with one
    query.
    """
    # Written at once, because as bytes they are small and have a known size.
    results: list[Any] = []
    last, size = None, 0
    for row in _rows(rows, query, key, newest_first=newest_first, at_once=rows_at_once):
        if len(results) == query.limit or size > MAX_PAGE_BYTES:
            return Page(results=results, next=str(last))
        written = msgspec.json.encode(render(row))
        results.append(msgspec.Raw(written))
        last, size = getattr(row, key), size + len(written)
    return Page(results=results, next=None)


def rows_of_page(
    rows: QuerySet[Row], query: Paged, *, newest_first: bool = False
) -> tuple[list[Row], str | None]:
    """Give the rows of a page, whatever their size, and its `next`: one query."""
    found = list(_rows(rows, query, "pk", newest_first=newest_first))
    page = found[: query.limit]
    return page, str(page[-1].pk) if len(found) > query.limit else None


def _rows(
    rows: QuerySet[Row],
    query: Paged,
    key: str,
    *,
    newest_first: bool,
    at_once: int | None = None,
) -> Iterator[Row]:
    """Read one row more than the page has, as the sign that there is another page."""
    step = f"{key}__lt" if newest_first else f"{key}__gt"
    ordered = rows.order_by(f"-{key}" if newest_first else key)
    after, left = query.after, query.limit + 1
    while left:
        wanted = left if at_once is None else min(at_once, left)
        later = ordered if after is None else ordered.filter(**{step: after})
        part = list(later[:wanted])
        yield from part
        if len(part) < wanted:
            return
        after, left = getattr(part[-1], key), left - wanted
