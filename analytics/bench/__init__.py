"""The benchmarks of events: going in, being asked about, and the way there."""

from analytics.bench.connections import clickhouse_connections
from analytics.bench.ingest import ingest
from analytics.bench.queries import queries

__all__ = ["clickhouse_connections", "ingest", "queries"]
