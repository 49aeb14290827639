"""What a socket tells about its connection without asking the server."""

import select


def is_silent(file_number: int) -> bool:
    """Tell whether nothing has come in since the last answer.

    A server that closes a connection says so: the end of the stream can be read. What
    vanished without a word looks silent too, so a real question has to follow now and
    then.
    """
    poll = select.poll()
    poll.register(file_number, select.POLLIN)
    return not poll.poll(0)
