"""The load tests there are: how many users, for how long, and what they send."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from riskplatform.kernel.errors import InvalidInputError

LONGEST_S: Final = 4 * 3_600
MOST_USERS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """So many users for so many seconds."""

    users: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Stages one after the other; `shares` are of all requests, by kind."""

    name: str
    purpose: str
    stages: Sequence[Stage]
    shares: dict[str, float]

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)

    def changed(self, *, users: int | None, seconds: float | None) -> "Scenario":
        """Scale to as many users at most and as many seconds in all.

        Raises
        ------
        InvalidInputError
            There is nothing left, or more than a machine should be given.
        """
        most = max(stage.users for stage in self.stages)
        by_users = 1.0 if users is None else users / most
        by_time = 1.0 if seconds is None else seconds / self.seconds
        stages = [
            Stage(users=round(stage.users * by_users), seconds=stage.seconds * by_time)
            for stage in self.stages
        ]
        scaled = replace(self, stages=stages)
        if not 1 <= scaled.seconds <= LONGEST_S:
            raise InvalidInputError(
                f"A load test takes 1 to {LONGEST_S} seconds.", field="duration"
            )
        if not all(1 <= stage.users <= MOST_USERS for stage in stages):
            raise InvalidInputError(
                f"A stage has 1 to {MOST_USERS} users.", field="users"
            )
        return scaled


MIXED: Final = {"read": 0.90, "new": 0.05, "events": 0.05}
CACHED: Final = {"read": 1.0}
SCENARIOS: Final = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name="baseline",
            purpose="what an ordinary day brings",
            stages=(Stage(users=100, seconds=600),),
            shares=MIXED,
        ),
        Scenario(
            name="cache",
            purpose="reads only, all of which have come before",
            stages=(Stage(users=50, seconds=300),),
            shares=CACHED,
        ),
        Scenario(
            name="stress",
            purpose="more and more users, until requests are refused",
            stages=(
                Stage(users=300, seconds=300),
                Stage(users=600, seconds=300),
                Stage(users=1_000, seconds=300),
            ),
            shares=MIXED,
        ),
        Scenario(
            name="soak",
            purpose="an ordinary day for an hour: does anything grow?",
            stages=(Stage(users=100, seconds=3_600),),
            shares=MIXED,
        ),
    )
}
