"""How long to wait before something that died is started again."""

from dataclasses import dataclass

MOST_DOUBLINGS = 16


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Doubles the delay with every early death; a calm life starts afresh."""

    first_s: float = 0.5
    longest_s: float = 30.0
    calm_s: float = 60.0
    deaths: int = 0

    def next_delay_s(self, *, lived_s: float) -> float:
        """Return the delay after a death; `lived_s` is how long it ran."""
        if lived_s >= self.calm_s:
            self.deaths = 0
        delay_s = min(
            self.longest_s, self.first_s * 2.0 ** min(self.deaths, MOST_DOUBLINGS)
        )
        self.deaths += 1
        return delay_s
