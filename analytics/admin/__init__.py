"""What staff see of events, of the inbox and of shipping."""

from analytics.admin import events, ingest

__all__ = ["events", "ingest"]
