"""The probes of health: what they ask, and how long they wait for it."""

import sqlite3
import time
from pathlib import Path
from threading import Event

import pytest
from django.db import connections
from django.test import Client

from analytics.store.clickhouse_pool.base import DatabaseWrapper
from riskplatform.api import health
from riskplatform.api.probes import NO_ANSWER, OK, Probe, states_of
from riskplatform.embedded.ports import free_port
from riskplatform.server_urls import default_database

# What is written must be seen by threads of their own.
everything = pytest.mark.django_db(
    transaction=True, databases=["default", "clickhouse"]
)


def test_live_asks_nothing_of_anybody(stranger: Client) -> None:
    response = stranger.get("/health/live")
    assert response.json() == {"status": "ok"}
    assert "no-store" in response.headers["Cache-Control"]


@everything
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


@everything
def test_ready_reports_a_lost_clickhouse_and_stays_ready(
    stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DatabaseWrapper, "_clickhouse_connections", {})
    lost = connections.settings["clickhouse"] | {"PORT": free_port()}
    monkeypatch.setitem(connections.settings, "clickhouse", lost)
    response = stranger.get("/health/ready")
    assert response.status_code == 200
    assert response.json()["checks"]["clickhouse"]["status"].startswith("failing")


@everything
def test_a_process_that_is_about_to_stop_is_not_ready(
    stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskplatform.api.health.is_draining", lambda: True)
    response = stranger.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (503, "draining")
    assert stranger.get("/health/live").status_code == 200


@pytest.fixture
def sqlite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a SQLite file the default database of threads begun from now on."""
    file = tmp_path / "health.sqlite3"
    database = connections.configure_settings(
        {"default": default_database(f"sqlite:///{file}")}
    )["default"]
    monkeypatch.setitem(connections.settings, "default", database)
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE django_migrations (id, app, name, applied)")
    made.close()
    return file


@pytest.mark.django_db(transaction=True)
def test_who_holds_the_write_lock_of_sqlite_makes_it_unready(
    sqlite_file: Path, monkeypatch: pytest.MonkeyPatch, stranger: Client
) -> None:
    only = {"database": Probe(health._write)}
    monkeypatch.setattr(health, "PROBES", only)
    assert stranger.get("/health/ready").status_code == 200

    holder = sqlite3.connect(sqlite_file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    response = stranger.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["checks"]["database"]["status"] == (
        "failing: OperationalError"
    )

    holder.execute("ROLLBACK")
    assert stranger.get("/health/ready").status_code == 200
    assert not holder.execute("SELECT * FROM django_migrations").fetchall()
    holder.close()


def test_what_does_not_answer_is_shown_as_last_known_and_holds_up_nobody() -> None:
    goes_on, is_at_work = Event(), Event()
    goes_on.set()

    def hang() -> None:
        is_at_work.set()
        goes_on.wait(60)

    probes = {"well": Probe(lambda: None), "hung": Probe(hang)}
    never_asked = probes["hung"].state(until_s=time.monotonic())
    assert never_asked["last_status"] is None
    assert _statuses(probes) == {"well": OK, "hung": OK}

    goes_on.clear()
    for _ in range(3):
        started_s = time.monotonic()
        states = states_of(probes, within_s=0.2)
        assert time.monotonic() - started_s < 5
        assert states["well"]["status"] == OK
        assert states["hung"]["status"] == NO_ANSWER
        assert states["hung"]["last_status"] == OK
        assert is_at_work.is_set()
    age_s = states["hung"]["last_age_s"]
    assert isinstance(age_s, float)
    assert age_s >= 0.5

    goes_on.set()
    assert _statuses(probes) == {"well": OK, "hung": OK}


def test_several_slow_ones_are_waited_for_at_once() -> None:
    goes_on = Event()

    def hang() -> None:
        goes_on.wait(60)

    probes = {str(number): Probe(hang) for number in range(8)}
    started_s = time.monotonic()
    states = states_of(probes, within_s=1.0)
    assert time.monotonic() - started_s < 4
    assert {state["status"] for state in states.values()} == {NO_ANSWER}
    goes_on.set()


def _statuses(probes: dict[str, Probe]) -> dict[str, object]:
    states = states_of(probes, within_s=20)
    return {name: state["status"] for name, state in states.items()}
