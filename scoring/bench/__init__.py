"""Benchmarks of the domain; importing this package registers their suites."""

from scoring.bench import assess, inference, inference_cache, misses, web

__all__ = ["assess", "inference", "inference_cache", "misses", "web"]
