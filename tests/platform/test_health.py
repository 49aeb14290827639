import pytest
from django.db import OperationalError, connections
from django.test import Client


def test_live_asks_nothing_of_anybody(stranger: Client) -> None:
    response = stranger.get("/health/live")
    assert response.json() == {"status": "ok"}
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_ready_names_every_dependency_and_its_time(stranger: Client) -> None:
    response = stranger.get("/health/ready")
    checks = response.json()["checks"]
    assert response.status_code == 200
    assert {name: check["status"] for name, check in checks.items()} == {
        "database": "ok",
        "clickhouse": "ok",
        "cache": "ok",
    }
    assert all(check["ms"] >= 0 for check in checks.values())


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_ready_reports_a_lost_clickhouse_and_stays_ready(
    stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError

    monkeypatch.setattr(connections["clickhouse"], "cursor", refuse)
    response = stranger.get("/health/ready")
    assert response.status_code == 200
    assert response.json()["checks"]["clickhouse"]["status"].startswith("failing")


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_a_process_that_is_about_to_stop_is_not_ready(
    stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskplatform.api.health.is_draining", lambda: True)
    response = stranger.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (503, "draining")
    assert stranger.get("/health/live").status_code == 200
