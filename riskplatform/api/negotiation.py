"""Chooses the format of a response, without parsing what most clients accept."""

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class Negotiation(DefaultContentNegotiation):
    """As Django REST framework does; for a client that accepts anything at once."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        form = format_suffix or request.query_params.get(
            self.settings.URL_FORMAT_OVERRIDE
        )
        if request.META.get("HTTP_ACCEPT", "*/*") == "*/*":
            for renderer in renderers:
                if form in {None, renderer.format}:
                    return renderer, renderer.media_type
        chosen: tuple[BaseRenderer, str] = super().select_renderer(
            request, renderers, format_suffix
        )
        return chosen
