"""Horizons and how they are written, and what is served without further choice."""

from typing import Final

HOUR_S: Final = 3_600
DAY_S: Final = 86_400
HORIZONS_SEC: Final = {
    "6h": 6 * HOUR_S,
    "12h": 12 * HOUR_S,
    "1d": DAY_S,
    "3d": 3 * DAY_S,
    "7d": 7 * DAY_S,
    "14d": 14 * DAY_S,
    "30d": 30 * DAY_S,
}
# What the platform fits and serves where nothing else is given.
SERVED_KIND: Final = "ensemble"
SERVED_HORIZONS_SEC: Final = (DAY_S, 7 * DAY_S)


def horizon_word(horizon_sec: int) -> str:
    """Write a horizon as the command line takes it: `1d`."""
    words = {seconds: word for word, seconds in HORIZONS_SEC.items()}
    return words.get(horizon_sec, f"{horizon_sec}s")


def horizon_label(horizon_sec: int) -> str:
    """Write a horizon for people: `7 days`, `24 hours`."""
    if horizon_sec > DAY_S and horizon_sec % DAY_S == 0:
        return f"{horizon_sec // DAY_S} days"
    return f"{horizon_sec / HOUR_S:g} hours"
