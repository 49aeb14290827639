"""A log is rotated under the hands of its writer, and loses nothing."""

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from riskplatform.embedded.process import KEPT_LOGS
from riskplatform.serving import log_rotation
from riskplatform.serving.log_rotation import rotate_running
from tests.support.waiting import wait_until

MAX_BYTES = 64 << 10
# As a child writes: to a file opened once, each line by itself; until SIGTERM. It tells
# the number of lines then.
WRITER = """
import os
import signal
ended = []
signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
number = 0
while not ended:
    os.write(1, b"%08d\\n" % number)
    number += 1
os.write(2, b"%d" % number)
"""


def parts(log: Path) -> list[Path]:
    older = [
        log.with_name(f"{log.name}.{number}") for number in range(KEPT_LOGS, 0, -1)
    ]
    return [part for part in (*older, log) if part.exists()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


@pytest.fixture
def writer(log: Path) -> Generator["subprocess.Popen[bytes]"]:
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER], stdout=out, stderr=subprocess.PIPE
        )
    with process:
        yield process
        process.kill()


def test_what_a_writer_appends_meanwhile_is_not_lost(
    log: Path, writer: "subprocess.Popen[bytes]"
) -> None:
    if not _collapses(log.parent):
        pytest.skip("the file system here takes nothing out of the middle of files")
    rotated: list[bytes] = []

    def rotate() -> bool:
        if rotate_running(log, max_bytes=MAX_BYTES):
            rotated.append(log.with_name("child.log.1").read_bytes())
        return len(rotated) > KEPT_LOGS + 1

    wait_until(rotate, within_s=60, what="rotations while the writer writes")
    writer.terminate()
    n_lines = int(writer.communicate(timeout=60)[1])
    lines = b"".join([*rotated, log.read_bytes()]).splitlines()
    assert lines == [b"%08d" % number for number in range(n_lines)]
    assert len(parts(log)) == KEPT_LOGS + 1


def _collapses(folder: Path) -> bool:
    file = folder / "probe"
    file.write_bytes(bytes(1 << 14))
    return log_rotation._take_out(file, file.stat().st_blksize)


def test_where_nothing_can_be_taken_out_the_log_is_copied_and_emptied(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_rotation, "_take_out", lambda _log, _n_bytes: False)
    with log.open("ab", buffering=0) as child:
        for round_number in range(KEPT_LOGS + 2):
            child.write(b"%d" % round_number * 10_001)
            assert rotate_running(log, max_bytes=10_000)
            child.write(b"after\n")
            assert log.read_bytes() == b"after\n"
            os.truncate(log, 0)
    contents = [part.read_bytes() for part in parts(log)]
    assert contents == [b"%d" % n * 10_001 for n in (2, 3, 4)] + [b""]


def test_a_small_log_and_none_are_left_alone(log: Path) -> None:
    assert not rotate_running(log, max_bytes=100)
    log.write_bytes(b"x" * 100)
    assert not rotate_running(log, max_bytes=100)
    assert parts(log) == [log]


def test_a_full_disk_gets_its_room_back(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log_rotation, "_copy", full)
    log.write_bytes(b"x" * 100_000)
    assert rotate_running(log, max_bytes=10_000)
    assert sum(part.stat().st_size for part in parts(log)) < 10_000
