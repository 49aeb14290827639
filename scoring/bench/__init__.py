"""Benchmarks of the domain; importing this package registers their suites."""

from scoring.bench import assess, inference

__all__ = ["assess", "inference"]
