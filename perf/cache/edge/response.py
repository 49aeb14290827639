"""An answer as it is kept, and how it is written down for other processes."""

import gzip
import io
import math
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any, Final

import msgspec
from django.utils.http import parse_etags

from perf.cache.envelope import DIGEST_BYTES, signature

SCHEMA: Final = 1
OK: Final = "200 OK"
# Django's middleware compresses from here on; the answers have to be the same.
MIN_GZIP_BYTES = 200
GZIP_LEVEL = 6
MAX_BODY_BYTES = 64 << 20
OVERHEAD_BYTES = 1_000
# So many computations before its end nobody draws: one in e^10 would win.
FAR_FROM_THE_END = 10.0
ACCEPTS_GZIP = re.compile(r"\bgzip\b")
# What a request with If-None-Match is told besides that nothing changed.
NOT_MODIFIED = frozenset(
    {"cache-control", "content-location", "etag", "expires", "vary", "last-modified"}
)

Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Environ = Mapping[str, Any]


@dataclass(slots=True, eq=False, kw_only=True)
class Entry:
    """A whole answer. Times are those of the monotonic clock."""

    status: str = OK
    headers: Headers
    body: bytes
    gzip_body: bytes | None
    names: frozenset[str]
    cost_s: float
    created_s: float
    expires_s: float
    question: bytes
    hits: int = 0
    etag: str = field(init=False)
    is_zippable: bool = field(init=False)
    plain_headers: Headers = field(init=False)
    nbytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.etag = _header(self.headers, "etag")
        is_encoded = bool(_header(self.headers, "content-encoding"))
        self.is_zippable = len(self.body) >= MIN_GZIP_BYTES and not is_encoded
        # With room for the compressed body, which may be made later.
        zipped = len(self.gzip_body or self.body) if self.is_zippable else 0
        self.plain_headers = [*self.headers, ("Content-Length", str(len(self.body)))]
        self.nbytes = len(self.body) + zipped + len(self.question) + OVERHEAD_BYTES

    def is_past(self) -> bool:
        return time.monotonic() >= self.expires_s

    def is_due(self) -> bool:
        """Draw whether to compute anew a little early, as XFetch does.

        The nearer the end and the dearer the computation, the likelier: so one of
        many callers does it before the end, and none has to wait at it (Vattani and
        others, 2015, Optimal probabilistic cache stampede prevention).
        """
        left_s = self.expires_s - time.monotonic()
        if left_s > FAR_FROM_THE_END * self.cost_s:
            return False
        draw = 1.0 - random.random()  # noqa: S311 - spreads load, hides nothing
        return -math.log(draw) * self.cost_s >= left_s

    def zipped(self) -> bytes:
        """Compress once; the time in the header is left out, so bytes are the same."""
        if self.gzip_body is None:
            self.gzip_body = gzip.compress(self.body, GZIP_LEVEL, mtime=0)
        return self.gzip_body


class _Written(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    schema: int
    headers: list[tuple[str, str]]
    is_zipped: bool
    body: bytes
    names: list[str]
    cost_s: float
    question: bytes


_decoder = msgspec.msgpack.Decoder(_Written)


def write(entry: Entry, *, key: str) -> bytes:
    """Write an entry down, signed for its key; long bodies are compressed."""
    is_zipped = entry.is_zippable
    written = _Written(
        schema=SCHEMA,
        headers=entry.headers,
        is_zipped=is_zipped,
        body=entry.zipped() if is_zipped else entry.body,
        names=sorted(entry.names),
        cost_s=entry.cost_s,
        question=entry.question,
    )
    content = msgspec.msgpack.encode(written)
    return signature(key.encode(), content) + content


def read(blob: bytes, *, key: str, age_s: float, ttl_s: float) -> Entry | None:
    """Read an entry; None if it is anything but one of ours, kept under this key."""
    signed, content = blob[:DIGEST_BYTES], blob[DIGEST_BYTES:]
    if not compare_digest(signed, signature(key.encode(), content)):
        return None
    try:
        written = _decoder.decode(content)
        if written.schema != SCHEMA:
            return None
        body = _unzip(written.body) if written.is_zipped else written.body
    except (msgspec.MsgspecError, OSError, EOFError, ValueError):
        return None
    now_s = time.monotonic()
    return Entry(
        headers=written.headers,
        body=body,
        gzip_body=written.body if written.is_zipped else None,
        names=frozenset(written.names),
        cost_s=written.cost_s,
        created_s=now_s - age_s,
        expires_s=now_s + ttl_s,
        question=written.question,
    )


def respond(
    environ: Environ,
    start_response: StartResponse,
    entry: Entry,
    extra: Headers,
) -> Iterable[bytes]:
    """Answer with an entry: whole, compressed, or only that nothing changed."""
    if _is_known(environ, entry):
        headers = [pair for pair in entry.headers if pair[0].lower() in NOT_MODIFIED]
        start_response("304 Not Modified", [*headers, *extra])
        return [b""]
    if not _is_to_be_zipped(environ, entry):
        start_response(entry.status, [*entry.plain_headers, *extra])
        return [entry.body]
    body = entry.zipped()
    start_response(entry.status, [*_gzip_headers(entry, len(body)), *extra])
    return [body]


def _is_to_be_zipped(environ: Environ, entry: Entry) -> bool:
    if not entry.is_zippable:
        return False
    accepted = environ.get("HTTP_ACCEPT_ENCODING")
    if accepted is None or ACCEPTS_GZIP.search(accepted) is None:
        return False
    return len(entry.zipped()) < len(entry.body)


def _gzip_headers(entry: Entry, length: int) -> Headers:
    """Make the tag weak, as Django does: the bytes are others, what they say is not."""
    headers = [pair for pair in entry.headers if pair[0].lower() != "etag"]
    if entry.etag:
        headers.append(("ETag", "W/" + entry.etag.removeprefix("W/")))
    return [*headers, ("Content-Encoding", "gzip"), ("Content-Length", str(length))]


def _is_known(environ: Environ, entry: Entry) -> bool:
    """Tell whether a client has this answer; tags are compared weakly (RFC 9110)."""
    given = environ.get("HTTP_IF_NONE_MATCH")
    if given is None or not entry.etag or entry.status != OK:
        return False
    if environ["REQUEST_METHOD"] != "GET":
        return False
    tags = parse_etags(given)
    known = entry.etag.removeprefix("W/")
    return tags == ["*"] or known in {tag.removeprefix("W/") for tag in tags}


def _header(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _unzip(body: bytes) -> bytes:
    """Decompress, but no more than an answer may have."""
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        whole = file.read(MAX_BODY_BYTES + 1)
    if len(whole) > MAX_BODY_BYTES:
        raise ValueError("The kept body is longer than an answer may be.")
    return whole
