"""What staff see of events, of the inbox and of shipping."""

from analytics.admin.events import EventAdmin
from analytics.admin.imports import ImportRunAdmin, ImportSourceAdmin
from analytics.admin.inbox import IngestBatchAdmin, ParkedEventAdmin, ShipmentAdmin
from analytics.admin.tables import (
    EventCellDayAdmin,
    EventDayAdmin,
    EventHourAdmin,
    ForecastCellAdmin,
    ForecastOutcomeAdmin,
)

__all__ = [
    "EventAdmin",
    "EventCellDayAdmin",
    "EventDayAdmin",
    "EventHourAdmin",
    "ForecastCellAdmin",
    "ForecastOutcomeAdmin",
    "ImportRunAdmin",
    "ImportSourceAdmin",
    "IngestBatchAdmin",
    "ParkedEventAdmin",
    "ShipmentAdmin",
]
