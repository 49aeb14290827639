"""What can make a benchmark worthless, one class each."""

from riskplatform.kernel.errors import (
    ApplicationError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
)


class UnknownSuiteError(NotFoundError):
    code = "unknown_suite"
    title = "There is no such benchmark suite"


class EmptySuiteError(ApplicationError):
    """Nothing was measured, which must never look like a pass."""

    code = "empty_suite"
    title = "The benchmark suite measures nothing"


class DuplicateNameError(ConflictError):
    code = "duplicate_name"
    title = "Two suites or measurements have the same name"


class InvalidMeasurementError(InvalidInputError):
    code = "invalid_measurement"
    title = "The measurement is not valid"


class WrongAnswerError(ApplicationError):
    """The figure of a wrong answer means nothing, however good it looks."""

    code = "wrong_answer"
    title = "The measured code gives a wrong answer"


class InvalidBaselineError(InvalidInputError):
    code = "invalid_baseline"
    title = "The file to compare with cannot be used"


class UnwritableReportError(InvalidInputError):
    code = "unwritable_report"
    title = "The report cannot be written"


class WebProcessError(ApplicationError):
    """The server to be measured did not come up."""

    code = "web_process"
    title = "The measured web process does not run"


class LoadError(ApplicationError):
    """The load generator gave no figures."""

    code = "load"
    title = "The load could not be run"
