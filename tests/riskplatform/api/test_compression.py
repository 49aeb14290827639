"""Compressed for those who take it, by their Accept-Encoding."""

import pytest
from django.test import Client

from riskplatform.api.compression import accepts_gzip
from scoring.models import Region


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("GZIP;q=0.5", True),
        ("br;q=1.0, gzip;q=0.1, *;q=0", True),
        ("*", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, identity", False),
        ("gzip; q = 0", False),
        ("*;q=0", False),
        ("deflate, br", False),
        ("gzipped", False),
        ("gzip;q=1.2.3", False),
        ("", False),
    ],
)
def test_who_takes_gzip(accepted: str, is_taken: bool) -> None:
    assert accepts_gzip(accepted) is is_taken


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("accepted", "coding"), [("gzip", "gzip"), ("gzip;q=0, identity", None)]
)
def test_django_compresses_by_the_same_rule(
    published_forecast: Region, stranger: Client, accepted: str, coding: str | None
) -> None:
    answer = stranger.get(
        "/api/v1/risk-map",
        {"region": "chicago"},
        headers={"Accept-Encoding": accepted},
    )
    assert answer.headers.get("Content-Encoding") == coding
    assert "Accept-Encoding" in answer.headers["Vary"]
