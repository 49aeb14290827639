"""What the server answers instead of a result: ClickHouse's own codes and sentences."""

import re

BAD_ARGUMENTS = 36
NO_SUCH_COLUMN = 16
UNKNOWN_TYPE = 50
NOT_IMPLEMENTED = 48
SYNTAX_ERROR = 62
UNKNOWN_COMPRESSION_METHOD = 89
UNKNOWN_SETTING = 115
TABLE_CHANGED = 122  # INCOMPATIBLE_COLUMNS
TOO_MANY_CONNECTIONS = 202
QUERY_ID_IS_RUNNING = 216
QUERY_WAS_CANCELLED = 394
ACCESS_DENIED = 497
AUTHENTICATION_FAILED = 516
UNKNOWN_EXCEPTION = 1002

_ENGINE_SENTENCE = re.compile(r"Code: (\d+)\. (DB::.*)", re.DOTALL)


class ProtocolError(Exception):
    """The client said something the conversation cannot continue from."""


class QueryError(Exception):
    """A statement failed; `error_code` is ClickHouse's number for the reason."""

    def __init__(self, message: str, *, error_code: int) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code


def query_error(engine_message: str) -> QueryError:
    """Take code and sentence out of `Code: N. DB::Exception: ...`."""
    found = _ENGINE_SENTENCE.search(engine_message)
    if found is None:
        return refusal(engine_message, UNKNOWN_EXCEPTION)
    return QueryError(found.group(2), error_code=int(found.group(1)))


def refusal(sentence: str, error_code: int) -> QueryError:
    return QueryError(f"DB::Exception: {sentence}", error_code=error_code)
