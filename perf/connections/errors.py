"""What can go wrong with connections, as sentences for people."""

from riskplatform.kernel.errors import UnavailableError


class ConnectionsExhaustedError(UnavailableError):
    """All connections are in use, and none came back in time."""

    code = "connections_exhausted"
    title = "Everything is busy"
    retry_after_s = 1
