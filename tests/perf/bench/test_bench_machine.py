"""The machine line, without which a figure means little."""

import os
import platform
import re
from datetime import datetime
from pathlib import Path

import pytest

from perf.bench import machine
from perf.bench.machine import describe_machine


def test_the_machine_is_described_from_what_it_says_of_itself() -> None:
    described = describe_machine()
    assert described.cores == len(os.sched_getaffinity(0))
    assert described.python == platform.python_version()
    assert described.memory_gib > 0
    assert datetime.fromisoformat(described.taken_at).tzinfo is not None


def test_the_processor_has_its_trade_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu_info = tmp_path / "cpuinfo"
    cpu_info.write_text("processor\t: 0\nmodel name\t: Quick CPU: 2 GHz\n")
    monkeypatch.setattr(machine, "CPU_INFO", cpu_info)
    assert describe_machine().cpu == "Quick CPU: 2 GHz"


def test_a_processor_without_a_name_is_called_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "missing")
    assert re.fullmatch(r"\S.*", describe_machine().cpu)


def test_cores_are_counted_where_they_cannot_be_pinned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    assert describe_machine().cores == os.cpu_count()
