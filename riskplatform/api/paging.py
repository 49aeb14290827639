"""Lists are given page by page; the cursor is the id of the last row."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from msgspec import Meta, Struct

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
) -> dict[str, Any]:
    """Give a page in the order of ids, which is the order of creation: one query."""
    if query.after is not None:
        step = "pk__lt" if newest_first else "pk__gt"
        rows = rows.filter(**{step: query.after})
    found = list(rows.order_by("-pk" if newest_first else "pk")[: query.limit + 1])
    page = found[: query.limit]
    following = str(page[-1].pk) if len(found) > query.limit else None
    return {"results": [render(row) for row in page], "next": following}
