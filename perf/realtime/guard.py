"""Ends sockets of those who may not listen any more: a key revoked, a person gone.

Every few seconds, and all at once: thousands of sockets of one key cost one query.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

from django.db import Error

from perf.realtime.closing import FORBIDDEN, UNKNOWN, SocketClosedError
from perf.realtime.subscriptions import Subscription
from perf.realtime.threads import in_thread
from riskplatform.api.error_log import error_log
from riskplatform.api.keys.holders import Holder, Identity, identify

# A revoked key is out within 5 s; a check may take some of them.
CHECK_EVERY_S: Final = 2.0
# Without an answer of the database nobody knows who may listen.
PATIENCE_S: Final = 60.0

ENDED: Final = "the key or the membership ended"
NOT_YOURS: Final = "this may not be seen any more"


class Watch(NamedTuple):
    """Whose socket it is, of what; `may_see` gives the same for equal `what`."""

    holder: Holder
    what: Hashable
    may_see: Callable[[Identity], bool]


class Guard:
    def __init__(self) -> None:
        self._watches: dict[Subscription, Watch] = {}

    def watch(self, subscription: Subscription, watch: Watch) -> None:
        self._watches[subscription] = watch

    def forget(self, subscription: Subscription) -> None:
        self._watches.pop(subscription, None)

    async def run(self) -> None:
        failing_s = 0.0
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            try:
                await self._check()
                failing_s = 0.0
            except Error:
                error_log.exception("it was not checked who may listen")
                failing_s += CHECK_EVERY_S
                if failing_s > PATIENCE_S:
                    self._close(dict.fromkeys(self._watches.values(), UNKNOWN))

    async def _check(self) -> None:
        watches = {
            (watch.holder, watch.what): watch for watch in self._watches.values()
        }
        if watches:
            codes = await in_thread(_codes, list(watches.values()))
            self._close(codes)

    def _close(self, codes: dict[Watch, int]) -> None:
        by_key = {(each.holder, each.what): code for each, code in codes.items()}
        for subscription, watch in list(self._watches.items()):
            code = by_key.get((watch.holder, watch.what))
            if code is not None:
                reason = ENDED if code == UNKNOWN else NOT_YOURS
                subscription.close(SocketClosedError(code, reason))


def _codes(watches: list[Watch]) -> dict[Watch, int]:
    """Give the close code of each that is to end."""
    known = identify(watch.holder for watch in watches)
    codes = {}
    for watch in watches:
        identity = known.get(watch.holder)
        if identity is None:
            codes[watch] = UNKNOWN
        elif not watch.may_see(identity):
            codes[watch] = FORBIDDEN
    return codes
