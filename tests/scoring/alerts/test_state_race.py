"""Who acknowledges an alert while it is being followed waits, and then finds it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.db.backends.utils import CursorWrapper

from scoring.models import Alert
from scoring.services.alerts.evaluation import evaluate_rules
from scoring.services.alerts.states import acknowledge_alert
from tests.scoring.alerts.watching import line_of_cells, publish
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]
DEADLINE_S = 10.0


def acknowledge(alert: Alert, started: threading.Event) -> Alert:
    try:
        started.set()
        return acknowledge_alert(
            alert.pk, organisation=alert.rule.organisation, actor="kim"
        )
    finally:
        connections.close_all()


def wait_until_somebody_waits() -> None:
    """PostgreSQL tells who waits for a lock; SQLite has one lock and tells nothing."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        wait_until(lambda: _is_waited_for(cursor), within_s=DEADLINE_S, what="a lock")


def _is_waited_for(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1")
    return cursor.fetchone() is not None


def test_an_alert_that_is_being_followed_can_be_acknowledged(alert: Alert) -> None:
    later = publish(alert.rule.region, {line_of_cells(1)[0]: 0.8}, hours=1)
    assert alert.rule.organisation.slug == "acme"
    started = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            assert evaluate_rules(later).followed_count == 1
            waiting = threads.submit(acknowledge, alert, started)
            assert started.wait(DEADLINE_S)
            wait_until_somebody_waits()
        seen = waiting.result(timeout=DEADLINE_S)
    assert (seen.state, seen.last_forecast_id) == ("acknowledged", later.pk)
    alert.refresh_from_db()
    assert (alert.state, alert.value) == ("acknowledged", 0.8)
