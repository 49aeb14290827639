"""Free TCP ports on the loopback address."""

import errno
import socket

LOOPBACK = "127.0.0.1"
CONNECT_TIMEOUT_S = 1.0
BUSY_CODES = frozenset({errno.EADDRINUSE, errno.EACCES})


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A port whose last connections still linger can be listened on again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            if error.errno in BUSY_CODES:
                return False
            raise
    return True


def is_listening(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_TIMEOUT_S)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_port(preferred: int = 0) -> int:
    """Return `preferred` when it is free, else another free port."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
