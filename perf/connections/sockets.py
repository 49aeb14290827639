"""The state of a connection, read from its socket without a query."""

import select


def is_silent(file_number: int) -> bool:
    """Return whether nothing has come in since the last answer.

    A server that closes a connection says so: the end of the stream can be read. One
    that vanished silently looks idle until keep-alive has closed the socket.
    """
    poll = select.poll()
    poll.register(file_number, select.POLLIN)
    return not poll.poll(0)
