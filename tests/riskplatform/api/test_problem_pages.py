"""Each code of an error has a page at the address that `type` names."""

import pytest
from django.test import Client

from riskplatform.api.problem_pages import _known

pytestmark = pytest.mark.django_db


def test_every_code_has_a_page(stranger: Client) -> None:
    for code, (title, status) in dict(_known()).items():
        page = stranger.get(f"/problems/{code.replace('_', '-')}")
        assert page.status_code == 200, code
        text = page.content.decode()
        assert f"<code>{code}</code>" in text
        assert f"the status {status}." in text, (code, title)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/regions/nowhere", 404),
        ("/api/v1/portfolios", 401),
        ("/api/v1/regions?format=xml", 406),
        ("/api/v1/regions?limit=0", 422),
        (f"/api/v1/regions?after={'a' * 40_000}", 414),
    ],
)
def test_a_problem_names_its_page(address: str, status: int, stranger: Client) -> None:
    answer = stranger.get(address)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert stranger.get(answer.json()["type"]).status_code == 200


def test_what_is_no_code_has_none(stranger: Client) -> None:
    assert stranger.get("/problems/bad-luck").status_code == 404
