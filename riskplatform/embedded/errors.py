"""What can go wrong with a server or process that runs on this machine."""

from typing import ClassVar

from riskplatform.kernel.errors import ConflictError, UnavailableError


class EmbeddedServerError(UnavailableError):
    code: ClassVar[str] = "embedded_server_failed"
    title: ClassVar[str] = "A server on this machine does not run"


class AlreadyRunningError(ConflictError):
    code: ClassVar[str] = "already_running"
    title: ClassVar[str] = "Something else uses the same data folder"
