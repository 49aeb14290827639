"""Which replica of ClickHouse answers a read."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from django.conf import settings

from analytics.errors import EventStoreUnavailableError
from perf.hedging import Hedge

Result = TypeVar("Result")

_hedge = Hedge(lost=EventStoreUnavailableError)


def read_from(
    primary: str, name: str, ask: Callable[[str], Result], *, may_lag: bool
) -> Result:
    """Read from the database with this alias, or from a replica when it is slow.

    A replica may not yet have what was written a moment ago: reads that
    decide what to write go to the first alone.
    """
    if not may_lag or not settings.CLICKHOUSE_REPLICAS:
        return ask(primary)
    aliases = (primary, *settings.CLICKHOUSE_REPLICAS)
    return _hedge.read(name, [partial(ask, alias) for alias in aliases])
