"""What repeats in a log is folded, and what matters of it stays to be found."""

import io
import logging
import threading
from collections.abc import Callable, Generator

import pytest

from riskplatform.kernel.log_folding import (
    MAX_CHARS,
    MAX_ERRORS,
    MAX_IDS,
    MAX_LINES,
    FoldingHandler,
)
from tests.support.waiting import wait_until


class Log:
    """A logger of its own with a clock that the test turns."""

    def __init__(self, *, window_s: float = 10.0) -> None:
        self.now_s = 0.0
        self.out = io.StringIO()
        self.handler = FoldingHandler(
            self.out, window_s=window_s, clock=lambda: self.now_s
        )
        self.logger = logging.Logger("tested")  # noqa: LOG001 - not in the tree of all
        self.logger.addHandler(self.handler)

    @property
    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()


@pytest.fixture
def log() -> Generator[Log]:
    made = Log()
    yield made
    made.handler.close()


def not_found(log: Log, path: str, status: int = 404) -> None:
    log.logger.warning("%s: %s", "Not Found", path, extra={"status_code": status})


def test_many_of_a_kind_become_some_lines_and_one_that_counts(log: Log) -> None:
    for number in range(1_239):
        not_found(log, f"/{number}")
    assert log.lines == [f"Not Found: /{number}" for number in range(MAX_LINES)]

    log.now_s = 10.0
    not_found(log, "/afterwards")
    assert log.lines[MAX_LINES:] == [
        "Not Found: /1238 … repeated 1,234 times in 10 s",
        "Not Found: /afterwards",
    ]


def test_kinds_are_told_apart(log: Log) -> None:
    for _ in range(MAX_LINES + 1):
        not_found(log, "/a", status=404)
        not_found(log, "/b", status=403)
    log.logger.warning("something else")
    assert len(log.lines) == 2 * MAX_LINES + 1


def test_the_ids_of_folded_errors_are_in_the_log(log: Log) -> None:
    def fail(number: int) -> None:
        try:
            int("no number")
        except ValueError:
            log.logger.exception("broke", extra={"request_id": f"id-{number}"})

    for number in range(MAX_ERRORS + MAX_IDS + 7):
        fail(number)
    assert log.out.getvalue().count("Traceback") == MAX_ERRORS

    log.now_s = 10.0
    log.logger.warning("next")
    summary = log.lines[-2]
    assert f"broke … repeated {MAX_IDS + 7} times in 10 s" in summary
    folded = range(MAX_ERRORS, MAX_ERRORS + MAX_IDS)
    assert all(f"id-{number}" in summary for number in folded)
    assert summary.endswith("and 7 more)")


def test_faults_of_different_places_are_not_folded_together(log: Log) -> None:
    def here() -> None:
        raise ValueError

    def there() -> None:
        raise ValueError

    def record(fault: Callable[[], None]) -> None:
        try:
            fault()
        except ValueError:
            log.logger.exception("broke")

    for _ in range(MAX_ERRORS + 5):
        record(here)
    record(there)
    assert log.out.getvalue().count("in there") == 1


def test_what_a_client_made_long_is_cut(log: Log) -> None:
    not_found(log, "/" + "x" * 100_000)
    assert len(log.lines[0]) < MAX_CHARS + 100
    assert "characters)" in log.lines[0]


def test_the_count_is_written_though_nothing_more_comes() -> None:
    log = Log(window_s=0.2)
    for _ in range(MAX_LINES + 3):
        not_found(log, "/")
    log.now_s = 1.0
    wait_until(lambda: "repeated 3 times" in log.out.getvalue())
    log.handler.close()


def test_the_count_is_written_at_the_end(log: Log) -> None:
    for _ in range(MAX_LINES + 2):
        not_found(log, "/")
    log.handler.close()
    assert log.lines[-1] == "Not Found: / … repeated 2 times in 10 s"


def test_no_line_is_miscounted_among_threads(log: Log) -> None:
    def flood() -> None:
        for _ in range(500):
            not_found(log, "/")

    threads = [threading.Thread(target=flood) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.handler.close()
    assert len(log.lines) == MAX_LINES + 1
    assert f"repeated {4_000 - MAX_LINES:,} times" in log.lines[-1]
