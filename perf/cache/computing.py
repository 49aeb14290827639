"""Gets an answer that is not at hand: from level 2, from others at work, or anew."""

import time
from functools import partial
from typing import Any, Final

from perf.cache.asking import Answer, ask
from perf.cache.entries import Entry
from perf.cache.local import LocalEntries
from perf.cache.policy import EdgePolicy
from perf.cache.questions import Asked, shared_key
from perf.cache.shared import Claim, SharedEntries
from perf.cache.tags import Tags, Watch
from perf.flights import Flights
from perf.metrics import EDGE_NOT_KEPT, EDGE_STAMPEDES_PREVENTED
from perf.shared_store import StoreUnavailableError

# Longer than a request may take; whoever has waited in vain computes alone.
WAIT_S: Final = 15.0
POLL_S: Final = 0.01


class Computing:
    """One computation a key at a time, in this process and among all."""

    def __init__(
        self, app: Any, *, local: LocalEntries, shared: SharedEntries, tags: Tags
    ) -> None:
        self._app = app
        self._local = local
        self._shared = shared
        self._tags = tags
        self._flights: Flights[Answer] = Flights()

    def answer(self, asked: Asked, policy: EdgePolicy) -> Answer:
        """Give an entry, or what the application says to this request alone."""
        work = partial(self._find_or_compute, asked, policy)
        landed = self._flights.run(asked.key, work, wait_s=WAIT_S)
        if not landed.is_shared:
            return landed.result
        entry = landed.result.entry
        if entry is None:
            return ask(self._app, asked, policy)
        EDGE_STAMPEDES_PREVENTED.inc()
        return Answer(entry=entry, headers=entry.headers, outcome="l1")

    def refresh(self, asked: Asked, policy: EdgePolicy) -> Answer | None:
        """Compute before the end of an entry; None where somebody does so already."""
        if self._flights.is_under_way(asked.key):
            return None
        claim = self._claim(shared_key(asked.key), is_refresh=True)
        if not isinstance(claim, Claim):
            return None
        with self._tags.watch() as watch:
            work = partial(self._compute, asked, policy, claim, watch)
            landed = self._flights.run(asked.key, work, wait_s=WAIT_S)
        if landed.is_shared:
            self._release(claim)
        return landed.result

    def _find_or_compute(self, asked: Asked, policy: EdgePolicy) -> Answer:
        # From before anything is read: what changes from now on is noticed.
        with self._tags.watch() as watch:
            found = self._wait_for_claim(shared_key(asked.key))
            if isinstance(found, Entry):
                self._keep(watch, asked, found)
                return Answer(entry=found, headers=found.headers, outcome="l2")
            return self._compute(asked, policy, found, watch)

    def _compute(
        self,
        asked: Asked,
        policy: EdgePolicy,
        claim: Claim | None,
        watch: Watch,
    ) -> Answer:
        entry = None
        try:
            answer = ask(self._app, asked, policy)
            entry = answer.entry
        finally:
            if entry is None and claim is not None:
                self._release(claim)
        if entry is not None and self._share(claim, entry):
            self._keep(watch, asked, entry)
        return answer

    def _wait_for_claim(self, key: str) -> Entry | Claim | None:
        """Wait for another process that computes; None says to go ahead anyway."""
        deadline_s = time.monotonic() + WAIT_S
        found = self._claim(key)
        while found is _BUSY and time.monotonic() < deadline_s:
            time.sleep(POLL_S)
            found = self._claim(key)
            if isinstance(found, Entry):
                EDGE_STAMPEDES_PREVENTED.inc()
        return None if found is _BUSY else found

    def _claim(self, key: str, *, is_refresh: bool = False) -> Any:
        try:
            found = self._shared.find_or_claim(key, is_refresh=is_refresh)
        except StoreUnavailableError:
            return None
        return _BUSY if found is None else found

    def _share(self, claim: Claim | None, entry: Entry) -> bool:
        """Put an entry into level 2; tell whether level 1 may have it too."""
        if claim is None:
            return True
        try:
            is_kept = self._shared.put(claim, entry)
        except StoreUnavailableError:
            return True
        if not is_kept:
            EDGE_NOT_KEPT.labels("changed").inc()
        return is_kept

    def _keep(self, watch: Watch, asked: Asked, entry: Entry) -> None:
        put = partial(self._local.put, asked.key, entry)
        if not self._tags.keep(watch, entry.names, put):
            EDGE_NOT_KEPT.labels("changed").inc()

    def _release(self, claim: Claim) -> None:
        try:
            self._shared.release(claim)
        except StoreUnavailableError:
            return


_BUSY: Final = object()
