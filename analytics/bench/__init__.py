"""The benchmarks of events: ingestion, queries, and connections."""

from analytics.bench.connections import clickhouse_connections
from analytics.bench.ingest import ingest
from analytics.bench.queries import queries

__all__ = ["clickhouse_connections", "ingest", "queries"]
