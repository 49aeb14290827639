"""GET /events and GET /events/export: events one by one, and as files."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.cursors import read_cursor, write_cursor
from analytics.api.event_schemas import EventListQuery, EventPage, ExportQuery
from analytics.api.events import EventsView
from analytics.api.reading import ReadingView, events_to_read
from analytics.models import Event
from analytics.reads.event_lists import iterate_rows, list_events, place_of
from analytics.reads.exports import export_pieces
from perf.deadlines import keeping_deadline
from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.tables import ArrowRenderer, CsvRenderer, ParquetRenderer
from riskplatform.kernel.errors import ApplicationError


class EventsResource(EventsView):
    """Posting is for those who write events, listing for those who read scores."""

    def get_authenticators(self) -> list[BaseAuthentication]:
        if self._is_reading():
            return [kind() for kind in ReadingView.authentication_classes]
        return super().get_authenticators()

    def get_permissions(self) -> Sequence[Any]:
        if self._is_reading():
            return [kind() for kind in ReadingView.permission_classes]
        return super().get_permissions()

    @extend_schema(
        operation_id="events_list",
        parameters=query_parameters(EventListQuery),
        responses={(200, "application/json"): body_schema(EventPage)},
    )
    def get(self, request: Request) -> Response:
        """List the events of a region, the newest first."""
        query = decode_query(request, EventListQuery)
        page = list_events(
            query.as_filter(events_to_read(request, query.region)),
            limit=query.limit,
            after=None if query.after is None else read_cursor(query.after),
        )
        following = None if page.is_last else write_cursor(place_of(page.events[-1]))
        return Response({"events": list(map(_listed, page.events)), "next": following})

    def _is_reading(self) -> bool:
        request: Any = getattr(self, "request", None)
        return request is not None and request.method in {"GET", "HEAD"}


class EventExportView(ReadingView):
    renderer_classes = (CsvRenderer, ArrowRenderer, ParquetRenderer)

    @extend_schema(
        operation_id="events_export",
        parameters=query_parameters(ExportQuery),
        responses={
            (200, kind.media_type): OpenApiTypes.BINARY
            for kind in (CsvRenderer, ArrowRenderer, ParquetRenderer)
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Send all events that match, as CSV, Arrow stream or Parquet."""
        query = decode_query(request, ExportQuery)
        wanted = query.as_filter(events_to_read(request, query.region))
        chosen = request.accepted_renderer
        pieces = export_pieces(chosen.format, iterate_rows(wanted))
        # What goes wrong before the first piece is still told as a problem.
        return StreamingHttpResponse(
            _told_where_it_ends(chosen.format, keeping_deadline(_begun(pieces))),
            content_type=chosen.media_type,
            headers={
                "Content-Disposition": "attachment; filename="
                f'"events-{query.region}.{chosen.format}"'
            },
        )


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = list(next_two(pieces))
    return chain(first, pieces)


def _told_where_it_ends(format_: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Let nobody take a part for the whole: the server ends a body that fails as any.

    Arrow and Parquet cannot be read without their ends; CSV gets a line that is no row.
    """
    try:
        yield from pieces
    except ApplicationError as error:
        if format_ != CsvRenderer.format:
            raise
        yield f"# INCOMPLETE: {error.message}\r\n".encode()


def next_two(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Take the head and the first rows: the head alone asks ClickHouse nothing."""
    for _, piece in zip(range(2), pieces, strict=False):
        yield piece


def _listed(event: Event) -> dict[str, Any]:
    row = event.as_row()
    cell = row.pop("cell")
    return {**row, "cell_id": cell, "cell_hex": f"{cell:x}"}
