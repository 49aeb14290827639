"""Settings that come with a query hold for that query alone."""

import json
import logging
from collections.abc import Mapping, Set

from riskplatform.embedded.clickhouse.engine import Session, quoted
from riskplatform.embedded.clickhouse.errors import UNKNOWN_SETTING, refusal

OWN_SETTINGS = "SELECT name, value, changed FROM system.settings"

logger = logging.getLogger(__name__)


class QuerySettings:
    """Keeps a session's settings equal to those of the next query.

    Clients repeat the same settings with every query, so what is in force stays until
    a query sets something else; then the session's own value comes back.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._in_force: dict[str, str] = {}
        self._own: dict[str, str] = {}

    def apply(
        self, wanted: Mapping[str, str], important: Set[str] = frozenset()
    ) -> None:
        """Have these settings in force; one that is important has to be known."""
        known = self._known(wanted, important)
        if known == self._in_force:
            return
        before = self._in_force
        gone = {name: self._own[name] for name in before if name not in known}
        self._assign(gone)
        self._in_force = {n: v for n, v in before.items() if n not in gone}
        # One SET for all: a wrong value keeps every one of them out.
        self._assign({n: quoted(v) for n, v in known.items() if before.get(n) != v})
        self._in_force = known

    def forget(self) -> None:
        """Give the session its own settings back, for a SET to change them."""
        self.apply({})
        self._own.clear()

    def _known(self, wanted: Mapping[str, str], important: Set[str]) -> dict[str, str]:
        self._look_up([name for name in wanted if name not in self._own])
        for name in wanted.keys() - self._own.keys():
            if name in important:
                raise refusal(f"Unknown setting '{name}'", UNKNOWN_SETTING)
            logger.warning("unknown setting ignored: %s", name)
        return {name: value for name, value in wanted.items() if name in self._own}

    def _look_up(self, names: list[str]) -> None:
        if not names:
            return
        listed = ", ".join(map(quoted, names))
        answer = self._session.execute(
            f"{OWN_SETTINGS} WHERE name IN ({listed})", "JSONCompactEachRow"
        )
        for name, value, changed in map(json.loads, answer.splitlines()):
            self._own[name] = quoted(value) if changed else "DEFAULT"

    def _assign(self, values: Mapping[str, str]) -> None:
        if values:
            joined = ", ".join(f"{name} = {value}" for name, value in values.items())
            self._session.execute(f"SET {joined}")
