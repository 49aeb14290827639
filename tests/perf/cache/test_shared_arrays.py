import multiprocessing
import os
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


def shared(folder: Path, **options: Any) -> SharedArrays:
    return SharedArrays("test", schema=1, root=lambda: folder, **options)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "test").glob("*.arrays"))


def test_another_process_finds_what_one_computed(tmp_path: Path) -> None:
    shared(tmp_path).get_or_compute(KEY, numbers)
    found = shared(tmp_path).get_or_compute(KEY, never)
    np.testing.assert_array_equal(found["risk"], numbers()["risk"])
    assert found["n"].item() == 3
    assert files(tmp_path)[0].stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "test").stat().st_mode & 0o777 == 0o700


def test_nobody_can_write_to_what_is_shared(
    tmp_path: Path, settings: LazySettings
) -> None:
    arrays = shared(tmp_path)
    for off in (frozenset[Switch](), frozenset({Switch.MODELS})):
        settings.PERFORMANCE_OFF = off
        with pytest.raises(ValueError, match="read-only"):
            arrays.get_or_compute(KEY, numbers)["risk"][0] = 1.0


def test_another_schema_is_computed(tmp_path: Path) -> None:
    shared(tmp_path).get_or_compute(KEY, numbers)
    later = SharedArrays("test", schema=2, root=lambda: tmp_path)
    assert later.get_or_compute(KEY, lambda: numbers(5.0))["risk"][0] == 5.0


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[-9] ^= 1
    path.write_bytes(body)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flip, empty])
def test_a_damaged_file_is_computed_again(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    shared(tmp_path).get_or_compute(KEY, numbers)
    damage(files(tmp_path)[0])
    again = shared(tmp_path).get_or_compute(KEY, lambda: numbers(5.0))
    assert again["risk"][0] == 5.0
    assert shared(tmp_path).get_or_compute(KEY, never)["risk"][0] == 5.0


def test_the_longest_unopened_leaves_the_disk_first(tmp_path: Path) -> None:
    arrays = shared(tmp_path, max_disk_bytes=68_000)
    for number in range(8):
        arrays.get_or_compute((number,), lambda: numbers(number))  # noqa: B023 - at once
        newest = max(files(tmp_path), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (number, number))
    held = arrays.get_or_compute((0,), never)
    shared(tmp_path, max_disk_bytes=68_000).get_or_compute((0,), never)
    arrays.get_or_compute((8,), numbers)
    assert len(files(tmp_path)) == 8
    other = shared(tmp_path)
    other.get_or_compute((0,), never)
    assert other.get_or_compute((1,), lambda: numbers(9.0))["risk"][0] == 9.0
    arrays.forget()
    assert files(tmp_path) == []
    assert held["risk"][999] == 999.0, "still mapped"


def test_what_would_fill_the_disk_is_not_shared(tmp_path: Path) -> None:
    arrays = shared(tmp_path, max_disk_bytes=10_000)
    assert arrays.get_or_compute(KEY, numbers)["risk"][1] == 1.0
    assert files(tmp_path) == []


def test_a_folder_open_to_others_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir(mode=0o755)
    assert shared(tmp_path).get_or_compute(KEY, numbers)["risk"][1] == 1.0
    assert files(tmp_path) == []


def test_a_disk_that_takes_nothing_fails_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    arrays = shared(tmp_path / "file")
    assert arrays.get_or_compute(KEY, numbers)["risk"][1] == 1.0


def test_what_failed_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        shared(tmp_path).get_or_compute(KEY, lambda: {"a": np.ones(1 // 0)})
    assert files(tmp_path) == []
    assert shared(tmp_path).get_or_compute(KEY, numbers)["risk"][1] == 1.0


def _compute_slowly(folder: Path, answers: Any, start: Any) -> None:
    def slow() -> Values:
        time.sleep(0.3)
        return {"pid": np.array(os.getpid())}

    start.wait()
    answers.put(shared(folder).get_or_compute(KEY, slow)["pid"].item())


def test_processes_compute_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    answers, start = context.Queue(), context.Barrier(3)
    processes = [
        context.Process(target=_compute_slowly, args=(tmp_path, answers, start))
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    pids = {answers.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(60)
    assert len(pids) == 1
