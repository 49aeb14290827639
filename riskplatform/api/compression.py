"""Which clients take compressed responses."""

import re
from functools import lru_cache
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

CODING: Final = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q\s*=\s*([\d.]+)\s*)?", re.ASCII)
ACCEPT_ENCODING: Final = "HTTP_ACCEPT_ENCODING"


@lru_cache(maxsize=1_024)
def accepts_gzip(accepted: str) -> bool:
    """Return whether a client takes gzip, by its Accept-Encoding (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        match = CODING.fullmatch(part)
        if match is None:
            continue
        try:
            weights[match[1]] = 1.0 if match[2] is None else float(match[2])
        except ValueError:
            continue
    named = weights.get("gzip", weights.get("x-gzip"))
    return (weights.get("*", 0.0) if named is None else named) > 0.0


class Compression(GZipMiddleware):
    """Compresses for whom `accepts_gzip` says; Django's looks for the word alone."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        accepted = request.META.get(ACCEPT_ENCODING, "")
        request.META[ACCEPT_ENCODING] = "gzip" if accepts_gzip(accepted) else ""
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed
