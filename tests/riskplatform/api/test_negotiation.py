"""The format of an answer is the one that is named, else the one that is liked best."""

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from riskplatform.api.negotiation import Negotiation, NotAcceptableError
from riskplatform.api.renderers import GeoJsonRenderer, JsonRenderer
from riskplatform.api.tables import CsvRenderer

THERE = [JsonRenderer(), GeoJsonRenderer(), CsvRenderer()]


def choose(accept: str | None, address: str = "/") -> str:
    headers = {} if accept is None else {"Accept": accept}
    request = Request(RequestFactory().get(address, headers=headers))
    return Negotiation().select_renderer(request, THERE)[0].format


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("Text/CSV; charset=utf-8", "csv"),
        ("application/json;q=0.1, text/csv;q=0.9", "csv"),
        ("application/json;q=0.9, text/csv;q=0.1", "json"),
        ("application/geo+json, */*", "geojson"),
        ("application/json;q=0, */*", "geojson"),
        ("application/*;q=0.2, text/*;q=0.3", "csv"),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "json"),
        ("text/csv;q=high", "csv"),
    ],
)
def test_accept_is_read_with_its_weights(accept: str | None, format_: str) -> None:
    assert choose(accept) == format_


def test_a_named_format_counts_more_than_accept() -> None:
    assert choose("text/csv", "/?format=geojson") == "geojson"


@pytest.mark.parametrize(
    ("accept", "address"),
    [
        ("application/xml", "/"),
        ("text/csv;q=0", "/"),
        ("*/*;q=0", "/"),
        ("text/csv;q=nan", "/"),
        (None, "/?format=xml"),
        ("*/*", "/?format="),
    ],
)
def test_what_there_is_not_is_406_with_what_there_is(
    accept: str | None, address: str
) -> None:
    with pytest.raises(NotAcceptableError) as caught:
        choose(accept, address)
    assert caught.value.context == {"formats": ["json", "geojson", "csv"]}
    assert "geojson (application/geo+json)" in caught.value.message
