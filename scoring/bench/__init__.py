"""Benchmarks of the domain; importing this package registers their suites."""

from scoring.bench import assess, edge, http, inference, inference_cache

__all__ = ["assess", "edge", "http", "inference", "inference_cache"]
