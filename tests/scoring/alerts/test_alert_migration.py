"""Alerts of before get the windows of their forecasts when the columns are added."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from scoring.models import Alert
from tests.scoring.alerts.watching import at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
NAME = "alerts_outlive_forecasts"


@pytest.fixture
def _newest_tables_again() -> Iterator[None]:
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield
    MigrationExecutor(connection).migrate(newest)


@pytest.mark.usefixtures("_newest_tables_again")
def test_alerts_keep_the_windows_of_their_forecasts(alert: Alert) -> None:
    graph = MigrationExecutor(connection).loader.graph
    after = next(node for node in graph.nodes if node[1].endswith(NAME))
    before = [parent.key for parent in graph.node_map[after].parents]

    MigrationExecutor(connection).migrate(before)
    MigrationExecutor(connection).migrate([after])

    found = Alert.objects.get(pk=alert.pk)
    assert (found.first_issued_for, found.first_valid_until) == (at(0), at(24))
    assert (found.valid_until, found.last_forecast_id) == (
        at(24),
        alert.last_forecast_id,
    )
