"""Gets an answer that is not at hand: from level 2, from others at work, or anew."""

import time
from functools import partial
from typing import Any, Final

from perf.cache.edge.origin import Answer, ask, kept_answer
from perf.cache.edge.policy import EdgePolicy
from perf.cache.edge.request_key import Asked, shared_key
from perf.cache.edge.response import Entry
from perf.cache.local import LocalEntries
from perf.cache.store import Claim, SharedEntries
from perf.cache.tags import Tags, Watch
from perf.metrics import EDGE_NOT_KEPT, EDGE_STAMPEDES_PREVENTED
from perf.shared_store import StoreUnavailableError
from perf.single_flight import Flights

# Whoever has waited in vain computes alone: for a thread of this process, and for
# another process, which may have died.
WAIT_S: Final = 15.0
CLAIM_WAIT_S: Final = 2.0
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
        """Give what is kept elsewhere or computed now, for many or for this request.

        Only those who ask in one generation share a computation: what began before
        a change may be older than a write that the others know of.
        """
        work = partial(self._find_or_compute, asked, policy)
        flight = (asked.key, self._tags.generation)
        landed = self._flights.run(flight, work, wait_s=WAIT_S)
        if not landed.is_shared:
            return landed.result
        if landed.result.entry is None or not landed.result.is_kept:
            return ask(self._app, asked, policy)
        EDGE_STAMPEDES_PREVENTED.inc()
        return kept_answer(landed.result.entry, "l1")

    def refresh(self, asked: Asked, policy: EdgePolicy) -> Answer | None:
        """Compute before the end of an entry; None where somebody does so already."""
        claim = self._claim(shared_key(asked.key), is_refresh=True)
        if not isinstance(claim, Claim):
            return None
        with self._tags.watch() as watch:
            return self._compute(asked, policy, claim, watch)

    def _find_or_compute(self, asked: Asked, policy: EdgePolicy) -> Answer:
        # From before anything is read: what changes from now on is noticed.
        with self._tags.watch() as watch:
            found = self._wait_for_claim(shared_key(asked.key))
            if isinstance(found, Entry):
                self._keep(watch, asked, found)
                return kept_answer(found, "l2")
            return self._compute(asked, policy, found, watch)

    def _compute(
        self,
        asked: Asked,
        policy: EdgePolicy,
        claim: Claim | None,
        watch: Watch,
    ) -> Answer:
        is_kept = False
        try:
            answer = ask(self._app, asked, policy)
            is_kept = answer.is_kept
        finally:
            if not is_kept and claim is not None:
                self._release(claim)
        entry = answer.entry
        if entry is not None and is_kept and self._share(claim, entry):
            self._keep(watch, asked, entry)
        return answer

    def _wait_for_claim(self, key: str) -> Entry | Claim | None:
        """Wait for another process that computes; None says to go ahead anyway."""
        deadline_s = time.monotonic() + CLAIM_WAIT_S
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
