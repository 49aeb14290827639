"""Periodic work: an app registers it in its `tasks.py`, the worker runs it when due."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicWork:
    every_s: float
    function: Callable[[], object]


registered: dict[str, PeriodicWork] = {}


def register_periodic(
    name: str, every_s: float, function: Callable[[], object]
) -> None:
    """Have one worker of many call a function every so often; it bears repetition."""
    registered[name] = PeriodicWork(every_s=every_s, function=function)
