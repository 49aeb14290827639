"""Every optimisation can be switched off, which restores the plain Django way.

Only benchmarks and people who look for a fault do so: `PERFORMANCE_OFF=edge,models`.
"""

from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum

from django.conf import settings


class Switch(StrEnum):
    EDGE = "edge"  # whole responses, before Django
    VALUES = "values"  # computed values, in Redis
    MODELS = "models"  # fitted models and scenario sets, in memory
    QUERIES = "queries"  # answers of ClickHouse
    CONNECTIONS = "connections"  # connections that outlive a request
    PARALLEL = "parallel"  # several reads at once
    LIMITS = "limits"  # rate limits and load shedding


def is_on(switch: Switch) -> bool:
    return switch not in settings.PERFORMANCE_OFF


@contextmanager
def switched_off(*switches: Switch) -> Generator[None]:
    """Do without some optimisations, in this process and for a while."""
    before = settings.PERFORMANCE_OFF
    settings.PERFORMANCE_OFF = before | frozenset(switches)
    try:
        yield
    finally:
        settings.PERFORMANCE_OFF = before
