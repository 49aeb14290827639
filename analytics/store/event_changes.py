"""Says of which regions the stored events change, whatever became of the attempt.

A write that failed may have been carried out all the same: its answer was lost.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

from riskplatform.kernel.changes import publish_changes_at_once

ALL = "events"


def events_of(region_slug: str) -> str:
    """Name the stored events of a region."""
    return f"events:{region_slug}"


def names_of(regions: Iterable[str]) -> Sequence[str]:
    """Name what an answer about these regions depends on."""
    return [ALL, *(events_of(region) for region in sorted(set(regions)))]


@contextmanager
def changing_events(regions: Iterable[str]) -> Generator[None]:
    names = {events_of(region) for region in regions}
    try:
        yield
    finally:
        publish_changes_at_once(*names)


@contextmanager
def changing_all_events() -> Generator[None]:
    try:
        yield
    finally:
        publish_changes_at_once(ALL)
