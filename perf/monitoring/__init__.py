"""What is generated for Prometheus, Grafana and people, from what apps register."""

from perf.monitoring import own

__all__ = ["own"]
