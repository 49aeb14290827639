"""Empty tables in ClickHouse, which takes nothing back after a test."""

import pytest
from django.db import connections

from analytics.inbox.backlog import forget_backlog

TABLES = (
    *("event", "eventhour", "eventday", "eventcellday"),
    *("forecastcell", "forecastoutcome"),
)


@pytest.fixture
def empty_store(db: None) -> None:
    forget_backlog()
    with connections["clickhouse"].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"TRUNCATE TABLE analytics_{table}")
