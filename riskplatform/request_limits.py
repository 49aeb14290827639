"""What settings say of limits: by class of route, and for what one request costs."""

from collections.abc import Mapping
from dataclasses import dataclass

from riskplatform.env import EnvError, env_int, env_list, env_pairs

# By the beginning of the path, and after a `*` by its end; the first that fits counts,
# what fits none is default.
CLASS_OF_PATH = {
    "/health/": "health",
    "/api/v1/events/export": "exports",
    "/api/v1/events": "events",
    "/api/v1/assess/batch": "batches",
    "/api/v1/portfolios/*/assets/import": "imports",
    "/files/": "uploads",
    "/admin/": "admin",
    "/login/": "admin",
}
NAMES = frozenset({"default", *CLASS_OF_PATH.values()})
# Rate limits may also be for whatever comes from one address, and for the ordinary
# requests of those who show neither key nor session.
ADDRESS, ANONYMOUS = "address", "anonymous"
RATE_LIMITS = {
    "default": "12000/min",
    "anonymous": "1200/min",
    "admin": "600/min",
    "address": "30000/min",
}
OFF = "off"
TIMEOUTS_S = {
    "default": 30.0,
    "batches": 120.0,
    "events": 300.0,
    "exports": 300.0,
    "imports": 300.0,
    "uploads": 300.0,
}

# What one request may cost, with a key or a session and without: numbers computed
# for it, and the size of its answer.
COSTS = {
    "values": 1_000_000,
    "megabytes": 64,
    "anonymous_values": 100_000,
    "anonymous_megabytes": 32,
}


def request_timeouts(given: Mapping[str, str]) -> dict[str, float]:
    """Read the seconds that a request of each class may take."""
    _check_names("REQUEST_TIMEOUTS", given, NAMES)
    try:
        timeouts_s = {name: float(text) for name, text in given.items()}
    except ValueError as error:
        raise EnvError(f"REQUEST_TIMEOUTS holds no number: {error}.") from None
    if not all(0 < timeout_s < float("inf") for timeout_s in timeouts_s.values()):
        raise EnvError("REQUEST_TIMEOUTS holds a number that is no time.")
    return TIMEOUTS_S | timeouts_s


def rate_limits(given: Mapping[str, str]) -> dict[str, str]:
    """Check the names of limits; their texts are parsed where they are enforced."""
    _check_names("RATE_LIMITS", given, NAMES | {ADDRESS, ANONYMOUS})
    limits = {**RATE_LIMITS, **given}
    return {name: text for name, text in limits.items() if text != OFF}


def configured_rate_limits() -> dict[str, str]:
    """Read RATE_LIMITS: pairs that change the usual limits, or `off` for none."""
    if env_list("RATE_LIMITS") == [OFF]:
        return {}
    return rate_limits(env_pairs("RATE_LIMITS"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How many requests of a group are at work at once, and how many wait."""

    inside: int
    waiting: int

    @property
    def per_caller(self) -> int:
        """One caller leaves a slot to others, where there is more than one."""
        return max(1, self.inside - 1)


def slots() -> dict[str, Slots]:
    """Read the slots of each process, by group; `default` has all other classes."""
    return {
        "default": Slots(
            inside=env_int("WEB_MAX_CONCURRENCY", 6, minimum=1), waiting=512
        ),
        "events": Slots(inside=env_int("WEB_MAX_INGESTION", 3, minimum=1), waiting=64),
        "admin": Slots(inside=env_int("WEB_MAX_ADMIN", 2, minimum=1), waiting=16),
        "exports": Slots(inside=env_int("WEB_MAX_STREAMS", 1, minimum=1), waiting=0),
    }


def cost_limits(given: Mapping[str, str]) -> dict[str, int]:
    """Read how much one request may cost (`riskplatform.api.cost`)."""
    _check_names("COST_LIMITS", given, frozenset(COSTS))
    if wrong := [text for text in given.values() if not text.isdecimal()]:
        raise EnvError(f"COST_LIMITS holds {wrong[0]!r}, which is no whole number.")
    return COSTS | {name: int(text) for name, text in given.items()}


def _check_names(
    variable: str, given: Mapping[str, str], known: frozenset[str]
) -> None:
    if unknown := sorted(given.keys() - known):
        raise EnvError(
            f"{variable} names {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
        )
