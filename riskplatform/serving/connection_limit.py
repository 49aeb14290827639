"""No address keeps so many connections open that others get none."""

import logging
import time
from collections import defaultdict
from threading import Thread
from typing import Final

from riskplatform.env import env_int
from riskplatform.serving.own_connections import Peer, own_connections

USUAL_LIMIT: Final = 256
LOOK_S: Final = 0.5

logger = logging.getLogger(__name__)


class ConnectionLimit:
    """Ends what an address has beyond its limit: what has been silent for longest.

    Behind proxies of ours all connections are theirs, and limits are theirs too.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._most = env_int("WEB_CONNECTIONS_PER_ADDRESS", USUAL_LIMIT)
        self._is_on = bool(self._most) and not env_int("TRUSTED_PROXIES", 0)

    def start(self) -> None:
        if self._is_on:
            Thread(target=self._watch, name="connections", daemon=True).start()

    def enforce(self) -> int:
        """End what is too much now; return how many that were."""
        silent_ms: dict[str, dict[Peer, int]] = defaultdict(dict)
        for connection in own_connections(self._port):
            silent_ms[connection.peer[0]][connection.peer] = connection.silent_ms
        surplus = {
            peer for of_one in silent_ms.values() for peer in self._surplus(of_one)
        }
        if surplus:
            for connection in own_connections(self._port):
                if connection.peer in surplus:
                    connection.shut()
        return len(surplus)

    def _surplus(self, silent_ms: dict[Peer, int]) -> list[Peer]:
        longest_first = sorted(silent_ms, key=silent_ms.__getitem__, reverse=True)
        return longest_first[: max(0, len(silent_ms) - self._most)]

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_S)
            try:
                n_ended = self.enforce()
            except OSError:
                logger.exception("the connections could not be counted")
                continue
            if n_ended:
                logger.warning("ended %d connections beyond the limit", n_ended)
