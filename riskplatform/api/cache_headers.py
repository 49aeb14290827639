"""Sets Cache-Control: who may share a response.

Nearly every response depends on the principal. Unless a view says otherwise it is
private: revalidated by its ETag where it has one, else not stored at all.
"""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from riskplatform.api.keys.principal import ORGANISATION_HEADER

CREDENTIALS: Final = ("Authorization", "X-API-Key", "Cookie", ORGANISATION_HEADER)
CHECKED_AGAIN: Final = "private, no-cache"
NOT_STORED: Final = "private, no-store"
# Set in the environment of a request whose view has said nothing.
IS_DEFAULT: Final = "riskplatform.cache_headers.is_default"


class CacheHeadersMiddleware:
    """Stands outside whatever makes tags, and leaves public answers alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        said = response.headers.get("Cache-Control", "")
        if "public" in said:
            return response
        if not said:
            has_tag = response.status_code in {200, 304} and "ETag" in response.headers
            response.headers["Cache-Control"] = CHECKED_AGAIN if has_tag else NOT_STORED
            request.META[IS_DEFAULT] = True
        elif "private" not in said:
            response.headers["Cache-Control"] = f"private, {said}"
        patch_vary_headers(response, CREDENTIALS)
        return response
