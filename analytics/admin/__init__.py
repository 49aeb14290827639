"""What staff see of events, of the inbox and of shipping."""

from analytics.admin.events import EventAdmin
from analytics.admin.inbox import IngestBatchAdmin, ParkedEventAdmin, ShipmentAdmin

__all__ = ["EventAdmin", "IngestBatchAdmin", "ParkedEventAdmin", "ShipmentAdmin"]
