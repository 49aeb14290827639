"""Pages that need no browser to be checked: errors, brand, empty and inline-free."""

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client

from scoring.models import Region

INLINE_SCRIPT = re.compile(r"<script(?![^>]*(src=|type=\"application/json\"))")
INLINE_STYLE = re.compile(r"<style|\sstyle=|\son[a-z]+=")


def test_the_dashboard_has_nothing_inline(
    stranger: Client, published_forecast: Region
) -> None:
    page = stranger.get("/", {"region": published_forecast.slug}).text

    assert INLINE_SCRIPT.search(page) is None
    assert INLINE_STYLE.search(page) is None


def test_the_dashboard_credits_the_source(
    stranger: Client, published_forecast: Region
) -> None:
    page = stranger.get("/").text

    assert published_forecast.source_credit in page
    assert published_forecast.timezone in page


def test_text_of_a_region_cannot_break_out_of_the_page(
    stranger: Client, published_forecast: Region
) -> None:
    published_forecast.name = "</script><script>alert(1)</script>"
    published_forecast.save()

    page = stranger.get("/").text

    assert "<script>alert" not in page


@pytest.mark.django_db
def test_an_unknown_address_leads_back_to_the_map(stranger: Client) -> None:
    answer = stranger.get("/nowhere")

    assert answer.status_code == 404
    assert 'href="/">the map</a>' in answer.text


@pytest.mark.parametrize("name", ["403.html", "404.html", "500.html"])
def test_error_pages_need_no_context(name: str) -> None:
    page = render_to_string(name)

    assert "riskplatform" in page
    assert INLINE_STYLE.search(page) is None


@pytest.mark.django_db
def test_the_sign_in_page_carries_the_brand(stranger: Client) -> None:
    page = stranger.get("/admin/login/").text

    assert "riskplatform administration" in page
    assert "scoring/favicon.svg" in page
