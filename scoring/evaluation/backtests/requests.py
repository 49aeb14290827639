"""The request of a back-test, read from the words of a command line."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from riskplatform.kernel.errors import InvalidInputError
from scoring.engine.models.registry import BASELINES, KINDS
from scoring.horizons import HORIZONS_SEC

SERVED_KIND: Final = "ensemble"
DEFAULT_KINDS: Final = (SERVED_KIND, *BASELINES)
FEWEST_ORIGINS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRequest:
    """Which models to compare, how far ahead and how often.

    `kinds` holds the model under test first; every other one is a baseline to it.
    """

    kinds: tuple[str, ...]
    horizons_sec: tuple[int, ...]
    n_origins: int

    def __post_init__(self) -> None:
        if self.n_origins < FEWEST_ORIGINS:
            raise InvalidInputError(
                f"A back-test of {self.n_origins} origins says nothing. "
                f"Use at least {FEWEST_ORIGINS}."
            )


def parse_kinds(words: str) -> tuple[str, ...]:
    """Read `ensemble,long_run_count`; each model once, in the order given."""
    return _known(words, KINDS, noun="model")


def parse_horizons(words: str) -> tuple[int, ...]:
    """Read `1d,7d` as seconds; each horizon once, in the order given."""
    return tuple(
        HORIZONS_SEC[word] for word in _known(words, HORIZONS_SEC, noun="horizon")
    )


def _known(words: str, choices: Collection[str], *, noun: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(word.strip() for word in words.split(",")))
    unknown = [word for word in chosen if word not in choices]
    if unknown:
        raise InvalidInputError(
            f"There is no {noun} {', '.join(map(repr, unknown))}. "
            f"Choose from: {', '.join(choices)}.",
            unknown=unknown,
        )
    return chosen
