"""Benchmarks of the domain; importing this package registers them."""

from scoring.bench import (
    assess,
    inference,
    inference_cache,
    load_requests,
    misses,
    web,
    websocket,
)

__all__ = [
    "assess",
    "inference",
    "inference_cache",
    "load_requests",
    "misses",
    "web",
    "websocket",
]
