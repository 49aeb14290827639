"""The record of a region to back-test on.

It stands apart from `running`, which also runs in processes without Django.
"""

from datetime import timedelta

from scoring.errors import TooFewEventsError
from scoring.evaluation.backtests.running import Record
from scoring.models import Region
from scoring.selectors.events import extent_until_now, load_usable_record, notes_on
from scoring.selectors.regions import grid_of_region


def load_record(region: Region) -> Record:
    """Read the cells and all events of a region.

    Raises
    ------
    TooFewEventsError
        The region has no events.
    """
    last = extent_until_now(region).last_occurred_at
    if last is None:
        raise TooFewEventsError(
            f"Region {region.slug!r} has no events. "
            "Import some with manage.py import_events.",
            region=region.slug,
        )
    grid = grid_of_region(region)
    # The bound is exclusive and the last event belongs to the record.
    usable = load_usable_record(region, grid, until=last + timedelta(seconds=1))
    return Record(
        history=usable.history,
        grid=grid,
        timezone=region.timezone,
        notes=tuple(notes_on(usable)),
    )
