"""Benchmarks of ingestion; `manage.py benchmark --suite ingest` runs them."""
