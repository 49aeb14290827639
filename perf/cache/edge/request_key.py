"""A request, reduced to what its response depends on."""

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import msgspec
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from perf.cache.edge.policy import EdgePolicy
from perf.cache.edge.principals import EdgePrincipal, has_session
from riskplatform.api.keys.access import Access

# Raised whenever cached responses are written in another form.
SCHEMA: Final = 2
MAX_BODY_BYTES: Final = 64 << 10
# Bodies up to this are remembered with their digest: clients repeat themselves.
MAX_REMEMBERED_BYTES: Final = 4 << 10
MAX_TEXT_CHARS: Final = 4 << 10
MAX_HOST_CHARS: Final = 255
# Read once: a setting costs every request a fraction of a microsecond.
PROXY_HEADER, HTTPS_VALUE = settings.SECURE_PROXY_SSL_HEADER or (None, None)

Environ = dict[str, Any]
Key = tuple[str, ...]

# In one order, so that what is the same is counted as the same.
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class RequestParts(msgspec.Struct, frozen=True, array_like=True):
    """Everything that a response depends on, but for the principal."""

    method: str
    scheme: str
    path: str
    query: str
    accept: str
    content_type: str
    body: bytes


@dataclass(slots=True)
class KeyedRequest:
    """A request; `key` differs where the response may differ."""

    environ: Environ
    body: bytes
    principal: EdgePrincipal
    key: Key

    @property
    def audience(self) -> str:
        return self.key[0]

    def written(self, names: Iterable[str]) -> bytes:
        """Write it down, its sender's access, and what its response depends on."""
        parts = msgspec.convert((*self.key[2:], self.body), RequestParts)
        return _encode((parts, self.principal.access, frozenset(names)))


read_written_request = msgspec.msgpack.Decoder(
    tuple[RequestParts, Access, frozenset[str]]
).decode


def read_body(environ: Environ, policy: EdgePolicy) -> bytes | None:
    """Read the body of a POST, and put it back; None where no cached response will do.

    With a session Django checks where a POST comes from; with an idempotency key the
    response is stored under it. What cannot be read whole is left untouched.
    """
    if policy.method != "POST":
        return b""
    if "HTTP_IDEMPOTENCY_KEY" in environ or "HTTP_CONTENT_ENCODING" in environ:
        return None
    length = environ.get("CONTENT_LENGTH") or ""
    if has_session(environ) or not length.isdecimal():
        return None
    n_bytes = int(length)
    return _read(environ, n_bytes) if n_bytes <= MAX_BODY_BYTES else None


def key_request(
    environ: Environ, body: bytes, principal: EdgePrincipal, policy: EdgePolicy
) -> KeyedRequest:
    """Reduce a request to its key, which those of one audience share."""
    get = environ.get
    query = get("QUERY_STRING", "")
    key = (
        policy.audience(principal, environ, body),
        body_digest(body) if body else "",
        environ["REQUEST_METHOD"],
        scheme_of(environ),
        environ["PATH_INFO"],
        sorted_query(query) if "&" in query else query,
        get("HTTP_ACCEPT", "*/*"),
        get("CONTENT_TYPE", ""),
    )
    return KeyedRequest(environ, body, principal, key)


def scheme_of(environ: Environ) -> str:
    """Return whether a request came by HTTPS, as Django does."""
    if PROXY_HEADER is not None and (given := environ.get(PROXY_HEADER)) is not None:
        return "https" if given.split(",")[0].strip() == HTTPS_VALUE else "http"
    scheme: str = environ["wsgi.url_scheme"]
    return scheme


def is_cacheable(environ: Environ) -> bool:
    """Return whether a cached response would do; what is not plain is for Django.

    What is long is left out, because its parts would stay in memory.
    """
    get = environ.get
    if "HTTP_IF_MATCH" in environ or "HTTP_IF_UNMODIFIED_SINCE" in environ:
        return False
    text_length = len(get("QUERY_STRING", "")) + len(get("HTTP_ACCEPT", ""))
    host = get("HTTP_HOST", "")
    return (
        text_length + len(get("CONTENT_TYPE", "")) <= MAX_TEXT_CHARS
        and len(host) <= MAX_HOST_CHARS
        and is_host_allowed(host)
    )


@lru_cache(maxsize=1_024)
def is_host_allowed(host: str) -> bool:
    """Return whether Django answers under this name; not part of the cache key."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def shared_key(key: Key) -> str:
    """Hash a cache key; the length before each part keeps keys distinct."""
    text = "".join(f"{len(part)}:{part}" for part in key)
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20)
    return f"response:{SCHEMA}:{digest.hexdigest()}"


def sorted_query(query: str) -> str:
    """Order the parts: no cached response depends on their order."""
    return "&".join(sorted(query.split("&")))


def body_digest(body: bytes) -> str:
    """Digest a body so that spacing and the order of names do not count."""
    if len(body) <= MAX_REMEMBERED_BYTES:
        return _remembered_digest(body)
    return _digest(body)


def canonical_body(body: bytes) -> bytes:
    """Write JSON down in one way; whatever is not plain JSON stays as it is.

    Numbers keep their digits, so that bodies that parse differently stay distinct.
    """
    try:
        written = _encode_json(_decode_json(body))
        # Shorter by more than blanks: escapes, or a name that is given twice.
        if len(_unspaced(written)) != len(_unspaced(body)):
            written = _encode_json(_decode_with_care(body))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return b"r" + body
    return b"j" + written


def _as_written(number: str) -> msgspec.Raw:
    return msgspec.Raw(number.encode())


def _decode_with_care(body: bytes) -> Any:
    return json.loads(
        body.decode("utf-8"),
        parse_int=_as_written,
        parse_float=_as_written,
        object_pairs_hook=_object,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("A name is given twice.")
    return found


def _unspaced(written: bytes) -> bytes:
    return written.translate(None, b" \t\r\n")


_decode_json = msgspec.json.Decoder(float_hook=_as_written).decode
_encode_json = msgspec.json.Encoder(order="deterministic").encode


def _digest(body: bytes) -> str:
    return blake2b(canonical_body(body), digest_size=20).hexdigest()


_remembered_digest = lru_cache(maxsize=4_096)(_digest)


def _read(environ: Environ, n_bytes: int) -> bytes | None:
    given = environ["wsgi.input"]
    if isinstance(given, io.BytesIO):
        # It has been read into memory already.
        body = given.getvalue()
    else:
        body = given.read(n_bytes)
        environ["wsgi.input"] = io.BytesIO(body)
    return body if len(body) == n_bytes else None
