"""What can be wrong with a request that claims to be a repetition."""

from riskplatform.kernel.errors import ConflictError, InvalidInputError


class RequestInProgressError(ConflictError):
    code = "request_in_progress"
    title = "The same request is being worked on"


class KeyReusedError(InvalidInputError):
    code = "idempotency_key_reused"
    title = "The Idempotency-Key belongs to another request"


class IdempotencyKeyError(InvalidInputError):
    code = "idempotency_key_invalid"
    title = "The Idempotency-Key is not valid"
