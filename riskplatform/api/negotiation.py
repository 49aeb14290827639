"""Chooses the format of a response, without parsing what most clients accept."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from riskplatform.api.inputs import FORMAT
from riskplatform.kernel.errors import ApplicationError

ANYTHING: Final = "*/*"


class NotAcceptableError(ApplicationError):
    code = "not_acceptable"
    title = "There is no such format here"
    status = 406


class Negotiation(BaseContentNegotiation):
    """Takes `format`, else what Accept prefers (RFC 9110, 12.5.1), else the first."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        there = list(renderers)
        accept = request.META.get("HTTP_ACCEPT") or ANYTHING
        if (form := request.query_params.get(FORMAT)) is not None:
            accept = ANYTHING
            renderers = [one for one in there if one.format == form]
        for renderer in renderers if accept == ANYTHING else _preferred(accept, there):
            return renderer, renderer.media_type
        known = ", ".join(f"{one.format} ({one.media_type})" for one in there)
        asked = f"the format {form[:40]!r}" if form else f"Accept: {accept[:100]}"
        raise NotAcceptableError(
            f"There is no answer here for {asked}. The formats are {known}.",
            field=FORMAT if form is not None else None,
            formats=[one.format for one in there],
        )


def _preferred(accept: str, there: list[BaseRenderer]) -> list[BaseRenderer]:
    """Give the renderer that is liked best, if any; of equals the first."""
    ranges = _ranges(accept)
    liked = {one: _quality(one.media_type, ranges) for one in there}
    best = max(there, key=lambda one: liked[one])
    return [best] if liked[best][0] > 0 else []


def _quality(media_type: str, ranges: dict[str, float]) -> tuple[float, int]:
    """Give what the most specific range says of a type, and how specific it is."""
    kinds = (ANYTHING, f"{media_type.partition('/')[0]}/*", media_type)
    found = [(ranges[kind], rank) for rank, kind in enumerate(kinds) if kind in ranges]
    return found[-1] if found else (0.0, 0)


@lru_cache(maxsize=1_024)
def _ranges(accept: str) -> dict[str, float]:
    """Read the media ranges with their weights; a weight that is none is 1."""
    ranges: dict[str, float] = {}
    for part in accept.lower().split(","):
        media_range, *parameters = (piece.strip() for piece in part.split(";"))
        named = dict(piece.partition("=")[::2] for piece in parameters)
        try:
            ranges[media_range] = float(named.get("q", 1))
        except ValueError:
            ranges[media_range] = 1.0
    return ranges
