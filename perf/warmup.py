"""What apps want warmed: the registry that `manage.py warm_cache` runs.

An app registers subjects in `<app>/warmup.py`: things by whose name people choose, the
names of changes that responses about them depend on, and which requests come first.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.module_loading import autodiscover_modules

from perf.cache.edge.request_key import RequestParts
from perf.cache.edge.warming import WarmRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something whose responses can be warmed; `option` names it on the command line.

    Parameters
    ----------
    name
        Gives the name of changes for what was chosen.
    requests
        Gives those about what was chosen, or, for None, about the most important.
    """

    option: str
    help: str
    name: Callable[[str], str]
    requests: Callable[[str | None], Iterable[WarmRequest]]


_subjects: dict[str, Subject] = {}


def register_subject(subject: Subject) -> None:
    """Have the command know a subject; registering it again changes nothing."""
    _subjects[subject.option] = subject


def list_subjects() -> list[Subject]:
    autodiscover_modules("warmup")
    return [_subjects[option] for option in sorted(_subjects)]


def common_request(
    path: str, *, query: str = "", body: bytes = b"", scheme: str = "http"
) -> RequestParts:
    """Describe a request as common clients send it: JSON, any response accepted."""
    return RequestParts(
        "POST" if body else "GET",
        scheme,
        path,
        query,
        "*/*",
        "application/json" if body else "",
        body,
    )
