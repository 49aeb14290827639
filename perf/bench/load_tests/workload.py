"""What is sent in a load test; the app whose requests these are registers it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from perf.bench.errors import BenchmarkError
from perf.bench.load_tests.generator import Requests
from perf.bench.registry import discover_suites

# Makes the data and the requests about it, and takes both away again.
Workload = Callable[[], AbstractContextManager[Requests]]

_registered: Final[list[Workload]] = []


def register_workload(workload: Workload) -> Workload:
    if _registered:
        raise BenchmarkError("There is a workload already.")
    _registered.append(workload)
    return workload


def find_workload() -> Workload:
    discover_suites()
    (workload,) = _registered
    return workload
