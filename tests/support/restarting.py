"""A server that is restarted while clients go on asking."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from riskplatform.embedded.server import Server
from tests.support.waiting import wait_until

# Of each client on average, before the restart and after it.
ENOUGH = 20

Answer = TypeVar("Answer")


def ask_through_restart(
    server: Server,
    ask: Callable[[], Answer],
    *,
    clients: int,
    at_end: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """Ask without a pause before, during and after; give what was answered.

    `at_end` is called in the thread of each client.
    """
    answers: list[Answer] = []
    is_over = Event()

    def keep_asking() -> None:
        while not is_over.is_set():
            answers.append(ask())
        at_end()

    with ThreadPoolExecutor(clients) as threads:
        asking = [threads.submit(keep_asking) for _ in range(clients)]
        try:
            wait_until(lambda: len(answers) > ENOUGH * clients, within_s=30)
            server.stop()
            server.start_and_wait()
            enough = len(answers) + ENOUGH * clients
            wait_until(lambda: len(answers) > enough, within_s=30)
        finally:
            is_over.set()
        for one in asking:
            one.result()
    return answers
