"""Computes answers before anybody asks, for callers who are known already."""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from perf.cache.edge.computing import Computing
from perf.cache.edge.origin import Answer
from perf.cache.edge.principals import Caller
from perf.cache.edge.request_key import Environ, Question, asked_by
from perf.cache.edge.routes import Routes, read_routes
from perf.cache.local import LocalEntries
from perf.cache.store import SharedEntries
from perf.cache.tags import Tags
from perf.shared_store import SharedStore
from riskplatform.api.keys.models import ApiKey

Wish = tuple[Question, Caller]


@dataclass(slots=True)
class WarmingReport:
    """What became of the wishes, by outcome, and the bytes of the answers."""

    outcomes: Counter[str] = field(default_factory=Counter)
    nbytes: int = 0

    def note(self, answer: Answer | None) -> None:
        if answer is None or answer.entry is None or not answer.is_kept:
            self.outcomes["refused"] += 1
            return
        self.outcomes["computed" if answer.outcome == "miss" else "present"] += 1
        self.nbytes += len(answer.entry.body)


class Warming:
    """Fills level 2; web processes take from there what they need."""

    def __init__(self, store: SharedStore) -> None:
        self._routes: Routes = read_routes()
        self._computing = Computing(
            WSGIHandler(),
            local=LocalEntries(max_bytes=0),
            shared=SharedEntries(store),
            tags=Tags(),
        )

    def warm(
        self,
        wishes: Iterable[Wish],
        *,
        jobs: int,
        on_progress: Callable[[WarmingReport], object] = lambda _: None,
    ) -> WarmingReport:
        """Compute what is not there yet, on some threads; safe while serving."""
        report = WarmingReport()
        with ThreadPoolExecutor(jobs, thread_name_prefix="warming") as threads:
            waiting = [threads.submit(self._warm_one, *wish) for wish in wishes]
            for done in as_completed(waiting):
                report.note(done.result())
                on_progress(report)
        return report

    def _warm_one(self, question: Question, caller: Caller) -> Answer | None:
        route = self._routes.find(question.method, question.path)
        # Answers to people are not theirs alone to keep: who they are is asked anew.
        if route is None or caller.access.permissions:
            return None
        try:
            environ, known = _environ(question), _with_key(caller)
            asked = asked_by(environ, question.body, known, route.policy)
            return self._computing.answer(asked, route.policy)
        finally:
            connections.close_all()


def distinct(wishes: Iterable[Wish]) -> Iterator[Wish]:
    """Leave out what is wished for again."""
    seen = set()
    for question, caller in wishes:
        mark = (question, caller.text)
        if mark not in seen:
            seen.add(mark)
            yield question, caller


def _with_key(caller: Caller) -> Caller:
    """Let a caller in without a key to show: it had one when the question was asked.

    Who asks for the answer later has to show a key that is usable then.
    """
    access = caller.access
    if access.organisation_id is None:
        return caller
    key = ApiKey(organisation_id=access.organisation_id, scopes=sorted(access.scopes))
    return replace(caller, key=key)


def _environ(question: Question) -> Environ:
    """Make the request of a question, as a server would."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": question.method,
        "PATH_INFO": question.path,
        "QUERY_STRING": question.query,
        "CONTENT_LENGTH": str(len(question.body)),
        "SERVER_NAME": _own_host(),
        "SERVER_PORT": "443" if question.scheme == "https" else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": question.scheme,
        "wsgi.input": io.BytesIO(question.body),
        "wsgi.errors": io.StringIO(),
    }
    given = {"HTTP_ACCEPT": question.accept, "CONTENT_TYPE": question.content_type}
    return environ | {name: value for name, value in given.items() if value}


def _own_host() -> str:
    """Name a host that Django answers under."""
    names = (name.lstrip(".") for name in settings.ALLOWED_HOSTS)
    return next((name for name in names if name not in {"", "*"}), "localhost")
