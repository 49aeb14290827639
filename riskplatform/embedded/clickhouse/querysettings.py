"""Settings that come with a query hold for that query alone."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from riskplatform.embedded.clickhouse.engine import Session
from riskplatform.embedded.clickhouse.errors import UNKNOWN_SETTING, refusal

OWN_SETTINGS = "SELECT name, value, changed FROM system.settings"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingValue:
    value: str
    important: bool = False


class QuerySettings:
    """Keeps a session's settings equal to those of the next query.

    Clients repeat the same settings with every query, so what is in force stays until
    a query sets something else; then the session's own value comes back.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._in_force: dict[str, str] = {}
        self._own: dict[str, str] = {}

    def apply(self, wanted: Mapping[str, SettingValue]) -> None:
        known = self._known(wanted)
        if known == self._in_force:
            return
        self._give_back(name for name in self._in_force if name not in known)
        fresh = {n: v for n, v in known.items() if self._in_force.get(n) != v}
        # One SET for all: a wrong value keeps every one of them out.
        self._assign(f"{name} = {quoted(value)}" for name, value in fresh.items())
        self._in_force = known

    def forget(self) -> None:
        """Give the session its own settings back, for a SET to change them."""
        self.apply({})
        self._own.clear()

    def _known(self, wanted: Mapping[str, SettingValue]) -> dict[str, str]:
        self._look_up([name for name in wanted if name not in self._own])
        known = {}
        for name, setting in wanted.items():
            if name in self._own:
                known[name] = setting.value
            elif setting.important:
                raise refusal(f"Unknown setting '{name}'", UNKNOWN_SETTING)
            else:
                logger.warning("unknown setting ignored: %s", name)
        return known

    def _look_up(self, names: list[str]) -> None:
        if not names:
            return
        listed = ", ".join(quoted(name) for name in names)
        answer = self._session.execute(
            OWN_SETTINGS + f" WHERE name IN ({listed})", "JSONCompactEachRow"
        )
        for name, value, changed in map(json.loads, answer.splitlines()):
            self._own[name] = quoted(value) if changed else "DEFAULT"

    def _give_back(self, names: Iterable[str]) -> None:
        listed = list(names)
        self._assign(f"{name} = {self._own[name]}" for name in listed)
        self._in_force = {n: v for n, v in self._in_force.items() if n not in listed}

    def _assign(self, assignments: Iterable[str]) -> None:
        joined = ", ".join(assignments)
        if joined:
            self._session.execute(f"SET {joined}")


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
