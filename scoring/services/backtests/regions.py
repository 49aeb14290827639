"""The record of a region to back-test on."""

from datetime import timedelta

from analytics.features import region_extent
from scoring.engine.grid import build_grid
from scoring.errors import TooFewEventsError
from scoring.models import Region
from scoring.selectors.regions import list_cell_ids
from scoring.services.backtests.running import Record
from scoring.services.events import load_history


def load_record(region: Region) -> Record:
    """Read the cells and all events of a region.

    Raises
    ------
    TooFewEventsError
        The region has no events.
    """
    last = region_extent(region.slug).last_occurred_at
    if last is None:
        raise TooFewEventsError(
            f"Region {region.slug!r} has no events. "
            "Import some with manage.py import_events.",
            region=region.slug,
        )
    grid = build_grid(list_cell_ids(region))
    # The bound is exclusive and the last event belongs to the record.
    history = load_history(region, grid, until=last + timedelta(seconds=1))
    return Record(history=history, grid=grid, timezone=region.timezone)
