import pytest
from django.test import Client


@pytest.mark.django_db
def test_an_unknown_address_below_the_api_is_a_problem(stranger: Client) -> None:
    response = stranger.get("/api/v1/nothing", headers={"X-Request-ID": "abc-1"})
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-Request-ID"] == "abc-1"
    assert response.json() == {
        "type": "/problems/not-found",
        "title": "There is no such thing",
        "status": 404,
        "code": "not_found",
        "detail": "There is nothing at /api/v1/nothing.",
        "request_id": "abc-1",
    }


@pytest.mark.django_db
def test_an_unknown_page_is_a_page(stranger: Client) -> None:
    response = stranger.get("/nothing")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("given", ["", "a b", "line\nbreak", "x" * 129])
@pytest.mark.django_db
def test_a_request_id_that_could_do_harm_is_replaced(
    given: str, stranger: Client
) -> None:
    response = stranger.get("/health/live", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] != given
    assert len(response.headers["X-Request-ID"]) == 32


@pytest.mark.django_db
def test_a_method_that_is_not_offered_is_a_problem(stranger: Client) -> None:
    response = stranger.delete("/api/v1/risk-map")
    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"


@pytest.mark.django_db
def test_a_body_beyond_the_limit_is_a_413(stranger: Client) -> None:
    response = stranger.post(
        "/api/v1/score-snapshot", b" " * 2_700_000, content_type="application/json"
    )
    assert response.status_code == 413
    assert response.json()["code"] == "body_too_large"


@pytest.mark.django_db
def test_an_unforeseen_error_is_a_problem_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scoring.api.regions.list_regions", explode)
    client = Client(raise_request_exception=False)
    response = client.get("/api/v1/regions")
    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert b"ZeroDivision" not in response.content
