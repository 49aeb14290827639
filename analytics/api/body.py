"""The bytes of a request's body as they come, without gathering them."""

from collections.abc import Iterator
from typing import BinaryIO

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from analytics.errors import MalformedEventsError

PIECE_BYTES = 1 << 18


def body_pieces(request: HttpRequest) -> Iterator[bytes]:
    """Read the body piece by piece; one that breaks off is an error."""
    expected = _content_length(request)
    stream: HttpRequest | BinaryIO = request
    if expected is None:
        # Django takes a body without a length for none; a chunked one is not.
        stream = request.META["wsgi.input"]
    received = 0
    try:
        while piece := stream.read(PIECE_BYTES):
            received += len(piece)
            yield piece
    except (UnreadablePostError, OSError) as error:
        raise _broken_off() from error
    if expected is not None and received < expected:
        raise _broken_off()


def _content_length(request: HttpRequest) -> int | None:
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    if is_chunked and "wsgi.input" in request.META:
        return None
    length = request.headers.get("Content-Length", "0")
    return int(length) if length.isdigit() else 0


def _broken_off() -> MalformedEventsError:
    return MalformedEventsError("The body broke off before its end. Send it again.")
