"""What can go wrong with events, as sentences for people."""

from riskplatform.kernel.errors import InvalidInputError, UnavailableError


class ColumnMapError(InvalidInputError):
    code = "column_map_invalid"
    title = "The column map does not fit"


class EventFileError(InvalidInputError):
    code = "event_file_unusable"
    title = "The event file cannot be used"


class EventColumnsError(InvalidInputError):
    code = "event_columns_invalid"
    title = "The events are not valid"


class EventStoreUnavailableError(UnavailableError):
    code = "event_store_unavailable"
    title = "The event store does not answer"


class QueryBudgetError(UnavailableError):
    """A named query would have read more or taken longer than it may."""

    code = "query_over_budget"
    title = "The question is too large to answer now"
