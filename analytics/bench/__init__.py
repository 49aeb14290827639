"""The benchmarks of events: going in, and being asked about."""

from analytics.bench.ingest import ingest
from analytics.bench.queries import queries

__all__ = ["ingest", "queries"]
