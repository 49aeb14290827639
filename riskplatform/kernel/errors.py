"""The errors every layer may raise; the API turns them into problem+json."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

STATEMENT_CANCELLED: Final = "57014"  # PostgreSQL's state for a statement timeout

# Where in an input something stands: a name, or a path such as ("cells", 3).
Field = str | tuple[str | int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field of an input; `facts` are for machines."""

    field: Field
    reason: str
    facts: Mapping[str, object] = dataclasses.field(default_factory=dict)


class ApplicationError(Exception):
    """A rule was broken; `message` is a sentence for people, `context` for machines.

    `faults` name the fields of the input that are to blame; where it is one and the
    message says all of it, `field` is enough.
    """

    code: ClassVar[str] = "application_error"
    title: ClassVar[str] = "The request could not be carried out"
    status: ClassVar[int] = 400

    def __init__(
        self,
        message: str,
        *,
        field: Field | None = None,
        faults: Iterable[FieldFault] = (),
        **context: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.faults = list(faults) if field is None else [FieldFault(field, message)]
        self.context = context


class InvalidInputError(ApplicationError):
    code = "invalid_input"
    title = "The input is not valid"
    status = 422


class BodyTooLargeError(ApplicationError):
    code = "body_too_large"
    title = "The body is too large"
    status = 413


class AddressTooLongError(ApplicationError):
    code = "address_too_long"
    title = "The address is too long"
    status = 414


class NotFoundError(ApplicationError):
    code = "not_found"
    title = "There is no such thing"
    status = 404


class ConflictError(ApplicationError):
    code = "conflict"
    title = "The request conflicts with the current state"
    status = 409


class UnavailableError(ApplicationError):
    """Something this depends on does not answer; trying again later may help."""

    code = "unavailable"
    title = "A dependency is not available"
    status = 503
    retry_after_s: ClassVar[int] = 5


class DeadlineError(UnavailableError):
    """The time that the request, or a part of it, may take was up."""

    code = "timed_out"
    title = "It took too long"
    retry_after_s = 1


def database_error(error: Exception) -> UnavailableError:
    """Return DeadlineError if the statement ran out of time, else UnavailableError."""
    if getattr(error.__cause__, "sqlstate", None) == STATEMENT_CANCELLED:
        return DeadlineError("The database had too little time left. Try again.")
    return UnavailableError("The database does not answer. Try again shortly.")
