"""Why a socket ends: the close codes, which docs/realtime.md lists."""

from typing import Final

# RFC 6455.
GONE_WELL: Final = 1000
COME_AGAIN: Final = 1012
# Ours, after the statuses of HTTP.
BAD_REQUEST: Final = 4400
UNKNOWN: Final = 4401
FORBIDDEN: Final = 4403
NOT_FOUND: Final = 4404
TOO_MANY: Final = 4429
# A close frame has room for no more.
MAX_REASON_BYTES: Final = 120


class SocketClosedError(Exception):
    """The socket is to end, or not to begin, with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
