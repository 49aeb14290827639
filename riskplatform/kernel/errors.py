"""The errors every layer may raise; the API turns them into problem+json."""

from typing import Any, ClassVar


class ApplicationError(Exception):
    """A rule was broken; `message` is a sentence for people, `context` for machines."""

    code: ClassVar[str] = "application_error"
    title: ClassVar[str] = "The request could not be carried out"
    status: ClassVar[int] = 400

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context


class InvalidInputError(ApplicationError):
    code = "invalid_input"
    title = "The input is not valid"
    status = 422


class BodyTooLargeError(ApplicationError):
    code = "body_too_large"
    title = "The body is too large"
    status = 413


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
