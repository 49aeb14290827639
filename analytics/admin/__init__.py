"""What staff see of events, of the inbox and of shipping."""

from analytics.admin import events, imports, inbox, tables

__all__ = ["events", "imports", "inbox", "tables"]
