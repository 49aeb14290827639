import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from numpy.typing import NDArray

from perf.cache.shared_arrays import SharedArrays
from perf.switches import Switch

Values = dict[str, NDArray[Any]]
KEY = ("forecast", 7)


def numbers(start: float = 0.0) -> Values:
    return {"risk": np.arange(start, start + 1_000.0), "n": np.array(3)}


def never() -> Values:
    raise AssertionError("it is there already")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "shared-arrays" / "test"


def shared(**options: Any) -> SharedArrays:
    return SharedArrays("test", schema=1, **options)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.group/*.npy"))


def groups(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.group"))


def test_another_process_finds_what_one_computed(folder: Path) -> None:
    shared().get_or_compute(KEY, numbers)
    found = shared().get_or_compute(KEY, never)
    np.testing.assert_array_equal(found["risk"], numbers()["risk"])
    assert found["n"].item() == 3
    assert files(folder)[0].stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nobody_can_write_to_what_is_shared(
    folder: Path, settings: LazySettings
) -> None:
    arrays = shared()
    for off in (frozenset[Switch](), frozenset({Switch.MODELS})):
        settings.PERFORMANCE_OFF = off
        with pytest.raises(ValueError, match="read-only"):
            arrays.get_or_compute(KEY, numbers)["risk"][0] = 1.0


def test_another_schema_is_computed(folder: Path) -> None:
    shared().get_or_compute(KEY, numbers)
    later = SharedArrays("test", schema=2)
    assert later.get_or_compute(KEY, lambda: numbers(5.0))["risk"][0] == 5.0


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[-9] ^= 1
    path.write_bytes(body)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [cut, flip, empty, remove])
def test_a_damaged_file_is_computed_again(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    shared().get_or_compute(KEY, numbers)
    damage(files(folder)[0])
    again = shared().get_or_compute(KEY, lambda: numbers(5.0))
    assert again["risk"][0] == 5.0
    assert shared().get_or_compute(KEY, never)["risk"][0] == 5.0


def test_the_longest_unopened_leaves_the_disk_first(folder: Path) -> None:
    arrays = shared(max_disk_bytes=68_000)
    for number in range(8):
        arrays.get_or_compute((number,), lambda: numbers(number))  # noqa: B023 - at once
        newest = max(groups(folder), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (number, number))
    held = arrays.get_or_compute((0,), never)
    shared(max_disk_bytes=68_000).get_or_compute((0,), never)
    arrays.get_or_compute((8,), numbers)
    assert len(groups(folder)) == 8
    other = shared()
    other.get_or_compute((0,), never)
    assert other.get_or_compute((1,), lambda: numbers(9.0))["risk"][0] == 9.0
    for group in groups(folder):
        shutil.rmtree(group)
    assert held["risk"][999] == 999.0, "still mapped"


def test_what_would_fill_the_disk_is_not_shared(folder: Path) -> None:
    arrays = shared(max_disk_bytes=10_000)
    assert arrays.get_or_compute(KEY, numbers)["risk"][1] == 1.0
    assert files(folder) == []


def test_a_folder_open_to_others_is_not_used(folder: Path) -> None:
    folder.mkdir(mode=0o755, parents=True)
    assert shared().get_or_compute(KEY, numbers)["risk"][1] == 1.0
    assert files(folder) == []


def test_a_disk_that_takes_nothing_fails_nobody(folder: Path) -> None:
    folder.parent.touch()
    arrays = shared()
    assert arrays.get_or_compute(KEY, numbers)["risk"][1] == 1.0


def test_what_failed_leaves_nothing_behind(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        shared().get_or_compute(KEY, lambda: {"a": np.ones(1 // 0)})
    assert files(folder) == []
    assert shared().get_or_compute(KEY, numbers)["risk"][1] == 1.0


def _compute_slowly(answers: Any, start: Any) -> None:
    def slow() -> Values:
        time.sleep(0.3)
        return {"pid": np.array(os.getpid())}

    start.wait()
    answers.put(shared().get_or_compute(KEY, slow)["pid"].item())


def test_processes_compute_once(folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    answers, start = context.Queue(), context.Barrier(3)
    processes = [
        context.Process(target=_compute_slowly, args=(answers, start)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    pids = {answers.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(60)
    assert len(pids) == 1
