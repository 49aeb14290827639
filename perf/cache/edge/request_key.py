"""What is asked, reduced to what the answer depends on."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import msgspec
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from perf.cache.edge.policy import EdgePolicy
from perf.cache.edge.principals import Caller, has_session

MAX_BODY_BYTES: Final = 64 << 10
# Bodies up to this are remembered with their digest: clients repeat themselves.
MAX_REMEMBERED_BYTES: Final = 4 << 10
MAX_TEXT_CHARS: Final = 4 << 10
MAX_HOST_CHARS: Final = 255
# Read once: a setting costs every request a fraction of a microsecond.
PROXY_HEADER, HTTPS_VALUE = settings.SECURE_PROXY_SSL_HEADER or (None, None)

Environ = dict[str, Any]
Key = tuple[str, ...]


class Question(msgspec.Struct, frozen=True, array_like=True):
    """Everything that an answer depends on, but for who asks."""

    method: str
    scheme: str
    path: str
    query: str
    accept: str
    content_type: str
    body: bytes


@dataclass(slots=True)
class Asked:
    """What is asked and by whom; `key` tells it from whatever has another answer."""

    environ: Environ
    body: bytes
    caller: Caller
    key: Key

    @property
    def audience(self) -> str:
        return self.key[0]

    @property
    def question(self) -> Question:
        return msgspec.convert((*self.key[2:], self.body), Question)


def body_of(environ: Environ, policy: EdgePolicy) -> bytes | None:
    """Read what a POST asks, and put it back; None where no kept answer will do.

    With a session Django checks where a POST comes from; with a key of idempotency
    the answer is stored under it.
    """
    if policy.method != "POST":
        return b""
    if "HTTP_IDEMPOTENCY_KEY" in environ or "HTTP_CONTENT_ENCODING" in environ:
        return None
    return None if has_session(environ) else _read_body(environ)


def asked_by(
    environ: Environ, body: bytes, caller: Caller, policy: EdgePolicy
) -> Asked:
    """Reduce a request to its key, which those of one audience share."""
    get = environ.get
    query = get("QUERY_STRING", "")
    key = (
        policy.audience(caller, environ, body),
        body_digest(body) if body else "",
        environ["REQUEST_METHOD"],
        scheme_of(environ),
        environ["PATH_INFO"],
        sorted_query(query) if "&" in query else query,
        get("HTTP_ACCEPT", "*/*"),
        get("CONTENT_TYPE", ""),
    )
    return Asked(environ, body, caller, key)


def scheme_of(environ: Environ) -> str:
    """Tell whether a request came by HTTPS, as Django does."""
    if PROXY_HEADER is not None and (given := environ.get(PROXY_HEADER)) is not None:
        return "https" if given.split(",")[0].strip() == HTTPS_VALUE else "http"
    scheme: str = environ["wsgi.url_scheme"]
    return scheme


def may_be_kept(environ: Environ) -> bool:
    """Tell whether a kept answer would do; a request that is not plain is for Django.

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
    """Tell whether Django answers under this name; no kept answer depends on it."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def shared_key(key: Key) -> str:
    """Shorten a key to one that tells as well; a length before each part."""
    text = "".join(f"{len(part)}:{part}" for part in key)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def sorted_query(query: str) -> str:
    """Order the parts: nothing that is kept depends on their order."""
    return "&".join(sorted(query.split("&")))


def body_digest(body: bytes) -> str:
    """Digest a body so that spacing and the order of names do not count."""
    if len(body) <= MAX_REMEMBERED_BYTES:
        return _remembered_digest(body)
    return _digest(body)


def canonical_body(body: bytes) -> bytes:
    """Write JSON down in one way; whatever is not plain JSON stays as it is.

    Numbers keep their digits, so that bodies that a parser tells apart stay apart.
    """
    try:
        parsed = json.loads(
            body.decode("utf-8"),
            parse_int=_Literal,
            parse_float=_Literal,
            parse_constant=_refuse,
            object_pairs_hook=_unique,
        )
        return b"j" + _written(parsed).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return b"r" + body


class _Literal(str):
    """A number as it was written."""

    __slots__ = ()


def _written(value: Any) -> str:
    if isinstance(value, _Literal):
        return str(value)
    if isinstance(value, dict):
        items = (f"{_quote(name)}:{_written(value[name])}" for name in sorted(value))
        return "{" + ",".join(items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return _quote(value)


_quote: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False).encode


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name is given twice.")
    return found


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON.")


def _digest(body: bytes) -> str:
    return blake2b(canonical_body(body), digest_size=20).hexdigest()


_remembered_digest = lru_cache(maxsize=4_096)(_digest)


def _read_body(environ: Environ) -> bytes | None:
    """Read a short body whole; what cannot be is left untouched."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdecimal() or (n_bytes := int(length)) > MAX_BODY_BYTES:
        return None
    given = environ["wsgi.input"]
    if isinstance(given, io.BytesIO):
        # It has been read into memory already.
        body = given.getvalue()
    else:
        body = given.read(n_bytes)
        environ["wsgi.input"] = io.BytesIO(body)
    return body if len(body) == n_bytes else None
