"""What can go wrong with events, as sentences for people."""

from riskplatform.kernel.errors import (
    ApplicationError,
    BodyTooLargeError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)


class ColumnMapError(InvalidInputError):
    code = "column_map_invalid"
    title = "The column map does not fit"


class ReadingOptionsError(InvalidInputError):
    code = "reading_options_invalid"
    title = "The file cannot be read in this way"


class EventFileError(InvalidInputError):
    code = "event_file_unusable"
    title = "The event file cannot be used"


class ImportWorkerError(UnavailableError):
    code = "import_worker_died"
    title = "A process of the import died"


class UnknownImportSourceError(InvalidInputError):
    code = "unknown_import_source"
    title = "There is no such saved source"


class UnknownPresetError(InvalidInputError):
    code = "unknown_preset"
    title = "There is no such preset"


class SourceTakenError(InvalidInputError):
    code = "source_taken"
    title = "Another sends events of this source"


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


class UnsupportedBodyError(ApplicationError):
    code = "unsupported_body"
    title = "The body has a form that is not taken"
    status = 415


class TooManyRowsError(BodyTooLargeError):
    code = "too_many_rows"
    title = "The body has too many rows"


class UnpackedTooLargeError(BodyTooLargeError):
    code = "unpacked_body_too_large"
    title = "The body unpacks to more than is taken"


class RowTooLongError(BodyTooLargeError):
    code = "row_too_long"
    title = "A row of the body is too long"


class MalformedEventsError(ApplicationError):
    code = "malformed_body"
    title = "The body cannot be read"
    status = 400


class EmptyBodyError(InvalidInputError):
    code = "empty_body"
    title = "The body holds no event"


class NoRowAcceptedError(InvalidInputError):
    code = "no_row_accepted"
    title = "No row was accepted"


class NestedTooDeepError(InvalidInputError):
    code = "nested_too_deep"
    title = "The body is nested too deep"


class UnknownRegionError(InvalidInputError):
    code = "unknown_region"
    title = "There is no such region"


class BatchNotFoundError(NotFoundError):
    code = "batch_not_found"
    title = "There is no such batch"


class BacklogFullError(UnavailableError):
    """So many events wait for ClickHouse that no more are taken for a while."""

    code = "backlog_full"
    title = "Too many events wait to be stored"
    retry_after_s = 30


class EventsWaitingError(UnavailableError):
    code = "events_waiting"
    title = "Events are on their way to the store"


class ResultTooLargeError(InvalidInputError):
    code = "result_too_large"
    title = "The answer would be too large"


class ReportWindowError(InvalidInputError):
    code = "report_window_invalid"
    title = "The report cannot cover this"


class RegionNotFoundError(NotFoundError):
    code = "region_not_found"
    title = "There is no such region"


class CursorError(InvalidInputError):
    code = "cursor_invalid"
    title = "The cursor is not one of ours"


class UnknownReportError(NotFoundError):
    code = "unknown_report"
    title = "There is no such report"


class LedgerColumnsError(InvalidInputError):
    code = "ledger_columns_invalid"
    title = "The forecast cannot be recorded"
