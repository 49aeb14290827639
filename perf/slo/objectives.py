"""Promises with a number. They stand once, where the app registers them.

What is generated from them, and what judges by them, reads this registry.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.module_loading import autodiscover_modules

from perf.slo.indicators import Indicator

WINDOW_DAYS: Final = 30
# Apps register what is theirs in a module of this name.
MODULE: Final = "monitoring"
# How the commands of runbooks read the metrics.
METRICS: Final = "curl -s http://127.0.0.1:8002/metrics"


class Owner(StrEnum):
    """Who answers for an objective."""

    PLATFORM = "platform"  # web, caches, jobs, databases
    EVENTS = "events"  # ingestion and the event store
    FORECASTS = "forecasts"  # models, forecasts, alerts


@dataclass(frozen=True, slots=True)
class Runbook:
    """What to do about an alert: what it means, three commands, how it ends."""

    meaning: str
    commands: tuple[str, str, str]
    ending: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A share of events, or of time, that is promised to be good.

    `promise` is a sentence for people. `target` is the share, of a window of
    `window_days`. Whether a budget that burns fast wakes somebody says `pages`.
    """

    name: str
    promise: str
    indicator: Indicator
    target: float
    owner: Owner
    runbook: Runbook
    pages: bool = True
    window_days: int = WINDOW_DAYS

    @property
    def budget(self) -> float:
        """Return the share that may be bad."""
        # Without the noise of binary fractions.
        return round(1.0 - self.target, 9)

    @property
    def alert(self) -> str:
        """Return the name of its alert, such as `AssessErrorsBudgetBurn`."""
        words = (word[0].upper() + word[1:] for word in self.name.split("-"))
        return "".join(words) + "BudgetBurn"

    @property
    def window(self) -> str:
        return f"{self.window_days}d"


_registered: dict[str, Objective] = {}


def register_objectives(*objectives: Objective) -> None:
    """Add objectives; names are unique, and repeating one is an error."""
    for objective in objectives:
        known = _registered.setdefault(objective.name, objective)
        if known != objective:
            raise ValueError(f"There are two objectives {objective.name!r}.")


def all_objectives() -> tuple[Objective, ...]:
    """Give the objectives of all apps, by name."""
    autodiscover_modules(MODULE)
    return tuple(sorted(_registered.values(), key=lambda each: each.name))
