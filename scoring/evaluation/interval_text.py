"""A figure of skill with its interval, as the reports and documents write it."""

from collections.abc import Callable

from scoring.engine.uncertainty import NO_INTERVAL


def number_text(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3f}"


def signed_text(value: float) -> str:
    return f"{value:+.3f}"


def interval_text(
    value: float,
    low: float | None,
    high: float | None,
    *,
    number: Callable[[float], str] = number_text,
) -> str:
    """Write `0.123 (0.101 to 0.145)`, or why there is no interval."""
    if low is None or high is None:
        return f"{number(value)} ({NO_INTERVAL})"
    return f"{number(value)} ({number(low)} to {number(high)})"
