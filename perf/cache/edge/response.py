"""A cached response, how it is given, and how it is written for other processes."""

import gzip
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from django.utils.http import parse_etags
from isal import igzip

from perf.cache.store import Found
from riskplatform.api.compression import accepts_gzip

OK: Final = "200 OK"
# Django's middleware compresses from here on; the responses have to be the same.
MIN_GZIP_BYTES: Final = 200
# A tenth of the time of zlib at its level 6, for some 8 % more bytes.
GZIP_LEVEL: Final = 2
PACKED_LEVEL: Final = 6
# What zlib calls the format with a header of gzip.
GZIP_FORMAT: Final = 31
OVERHEAD_BYTES: Final = 1_000
# Headers of a 304 response.
NOT_MODIFIED: Final = frozenset(
    {"cache-control", "content-location", "etag", "expires", "vary", "last-modified"}
)

Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Environ = Mapping[str, Any]


@dataclass(slots=True, eq=False, kw_only=True)
class CachedResponse:
    """A whole response. Times are those of the monotonic clock.

    `names` are the changes that end it, `request` is what it answers. `is_packed` says
    that it is compressed as well as it is worth.
    """

    status: str = OK
    headers: Headers
    body: bytes
    gzip_body: bytes | None = None
    names: frozenset[str]
    cost_s: float
    created_s: float
    expires_s: float
    request: bytes
    hits: int = 0
    is_packed: bool = False
    etag: str = field(init=False)
    is_zippable: bool = field(init=False)
    plain_headers: Headers = field(init=False)
    gzip_headers: Headers = field(init=False)
    nbytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.etag = _header(self.headers, "etag")
        is_encoded = bool(_header(self.headers, "content-encoding"))
        self.is_zippable = len(self.body) >= MIN_GZIP_BYTES and not is_encoded
        # With room for the compressed body, which may be made later.
        zipped = len(self.gzip_body or self.body) if self.is_zippable else 0
        self.plain_headers = [*self.headers, ("Content-Length", str(len(self.body)))]
        self.gzip_headers = _gzip_headers(self.headers, self.etag)
        self.nbytes = len(self.body) + zipped + len(self.request) + OVERHEAD_BYTES

    def zipped(self) -> bytes:
        """Compress once; the time in the header is left out, so bytes are the same."""
        if self.gzip_body is None:
            self.gzip_body = igzip.compress(self.body, GZIP_LEVEL, mtime=0)
        return self.gzip_body

    def pack(self) -> None:
        """Compress better, which takes ten times as long: for what is sent often."""
        if self.is_zippable and not self.is_packed:
            packed = zlib.compress(self.body, PACKED_LEVEL, wbits=GZIP_FORMAT)
            self.gzip_body = min(self.zipped(), packed, key=len)
            self.is_packed = True


def _gzip_headers(headers: Headers, etag: str) -> Headers:
    """Make the tag weak, as Django does: the bytes are others, what they say is not."""
    written = [pair for pair in headers if pair[0].lower() != "etag"]
    if etag:
        written.append(("ETag", "W/" + etag.removeprefix("W/")))
    return [*written, ("Content-Encoding", "gzip")]


# The headers, whether the body is compressed, the body, the names and the request.
_decode = msgspec.msgpack.Decoder(
    tuple[Headers, bool, bytes, frozenset[str], bytes]
).decode


def write_response(response: CachedResponse) -> bytes:
    """Write a response down for other processes; long bodies are compressed."""
    is_zipped = response.is_zippable
    body = response.zipped() if is_zipped else response.body
    names = sorted(response.names)
    return msgspec.msgpack.encode(
        (response.headers, is_zipped, body, names, response.request)
    )


def read_response(found: Found) -> CachedResponse | None:
    """Read a response; None if it is none of ours."""
    try:
        headers, is_zipped, written, names, request = _decode(found.content)
        body = gzip.decompress(written) if is_zipped else written
    except (msgspec.MsgspecError, OSError, EOFError, zlib.error):
        return None
    now_s = time.monotonic()
    return CachedResponse(
        headers=headers,
        body=body,
        gzip_body=written if is_zipped else None,
        names=names,
        cost_s=found.cost_s,
        created_s=now_s - found.age_s,
        expires_s=now_s + found.left_s,
        request=request,
    )


def respond(
    environ: Environ,
    start_response: StartResponse,
    response: CachedResponse,
    extra: Headers,
) -> Iterable[bytes]:
    """Give a response: whole, compressed, or only that nothing changed."""
    if _is_known(environ, response):
        headers = [pair for pair in response.headers if pair[0].lower() in NOT_MODIFIED]
        start_response("304 Not Modified", [*headers, *extra])
        return [b""]
    if not _is_to_be_zipped(environ, response):
        start_response(response.status, [*response.plain_headers, *extra])
        return [response.body]
    body = response.zipped()
    length = ("Content-Length", str(len(body)))
    start_response(response.status, [*response.gzip_headers, length, *extra])
    return [body]


def _is_to_be_zipped(environ: Environ, response: CachedResponse) -> bool:
    if not response.is_zippable:
        return False
    accepted = environ.get("HTTP_ACCEPT_ENCODING")
    if accepted is None or not accepts_gzip(accepted):
        return False
    return len(response.zipped()) < len(response.body)


def _is_known(environ: Environ, response: CachedResponse) -> bool:
    """Return whether a client has this response, by weak comparison (RFC 9110)."""
    given = environ.get("HTTP_IF_NONE_MATCH")
    if given is None or not response.etag or response.status != OK:
        return False
    if environ["REQUEST_METHOD"] != "GET":
        return False
    tags = parse_etags(given)
    known = response.etag.removeprefix("W/")
    return tags == ["*"] or known in {tag.removeprefix("W/") for tag in tags}


def _header(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")
