"""One address has the metrics of all processes, of those that have ended too."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO
from wsgiref.util import setup_testing_defaults

import pytest
from prometheus_client.parser import text_string_to_metric_families

from riskplatform.env import EnvError
from riskplatform.kernel import metrics_files
from riskplatform.serving.metrics import metrics_application, serve

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def counting(var: Path, hits: int) -> Generator["subprocess.Popen[str]"]:
    """Run a process that counts; inside the block it has counted and lives."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.riskplatform.serving.counting", var, str(hits)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert line_of(process.stdout) == "counted\n"
            yield process
        finally:
            process.kill()


def line_of(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def ask(
    folder: Path, path: str = "/metrics", *, token: str | None = None, shown: str = ""
) -> tuple[str, str]:
    environ: dict[str, object] = {"PATH_INFO": path}
    if shown:
        environ["HTTP_AUTHORIZATION"] = shown
    setup_testing_defaults(environ)
    started: list[str] = []

    def start(status: str, headers: object, exc_info: object = None) -> object:
        started.append(status)
        return None

    application = metrics_application(folder, token=token)
    body = b"".join(application(environ, start))  # type: ignore[arg-type]  # a double
    return started[0][:3], body.decode()


def samples(folder: Path) -> dict[str, float]:
    status, text = ask(folder)
    assert status == "200"
    return {
        sample.name + "".join(v for k, v in sample.labels.items() if k != "pid"): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / metrics_files.FOLDER).mkdir()
    return tmp_path / metrics_files.FOLDER


def test_the_counts_of_processes_add_up(tmp_path: Path, folder: Path) -> None:
    with counting(tmp_path, 3), counting(tmp_path, 4):
        found = samples(folder)
    assert found["hits_totalmap"] == found["held"] == 7
    assert found["took_seconds_bucket2.0"] == found["took_seconds_count"] == 2
    assert found["riskplatform_processesweb"] == 2
    assert found["riskplatform_process_resident_bytesweb"] > 1 << 20


def test_what_a_killed_process_counted_stays_and_its_files_go(
    tmp_path: Path, folder: Path
) -> None:
    with ExitStack() as stack:
        stack.enter_context(counting(tmp_path, 3))
        with counting(tmp_path, 4) as killed:
            pass
        first, again = samples(folder), samples(folder)
        left = [file.name for file in folder.iterdir() if str(killed.pid) in file.name]
    assert left == []
    assert first["hits_totalmap"] == again["hits_totalmap"] == 7
    assert first["took_seconds_sum"] == again["took_seconds_sum"] == 3.0
    # What only living processes hold is that of the one that lives.
    assert (first["held"], first["seen"]) == (3, 4)
    assert first["riskplatform_processesweb"] == 1


def test_a_run_starts_at_nothing_where_nobody_counts(
    tmp_path: Path, folder: Path
) -> None:
    with counting(tmp_path, 3):
        assert not metrics_files.clear_if_all_have_ended(folder)
        assert samples(folder)["hits_totalmap"] == 3
    assert metrics_files.clear_if_all_have_ended(folder)
    assert list(folder.iterdir()) == []


def test_a_process_that_is_just_starting_breaks_no_scrape(
    tmp_path: Path, folder: Path
) -> None:
    with counting(tmp_path, 3):
        for kind in ("counter", "histogram", "gauge_livesum", "gauge_mostrecent"):
            (folder / f"{kind}_{os.getpid()}.db").touch()
        assert samples(folder)["hits_totalmap"] == 3


def test_files_do_not_pile_up_where_nobody_reads_them(
    tmp_path: Path, folder: Path
) -> None:
    for _ in range(3):
        with counting(tmp_path, 1) as process:
            owners = {
                file.stem.rpartition("_")[2] or file.stem for file in folder.iterdir()
            }
            assert owners == {str(process.pid)}


def test_with_a_token_only_those_who_show_it_are_answered(folder: Path) -> None:
    assert ask(folder, token="secret")[0] == "401"
    assert ask(folder, token="secret", shown="Bearer wrong")[0] == "401"
    assert ask(folder, token="secret", shown="Bearer sécret")[0] == "401"
    assert ask(folder, token="secret", shown="Bearer secret")[0] == "200"


def test_there_is_nothing_else(folder: Path) -> None:
    assert ask(folder, "/")[0] == ask(folder, "/metrics/x")[0] == "404"
    assert ask(folder, "/health/live", token="secret")[0] == "200"


@pytest.mark.parametrize("host", ["", "::", "192.0.2.1", "metrics.example"])
def test_without_a_token_it_serves_this_machine_only(host: str, tmp_path: Path) -> None:
    with pytest.raises(EnvError, match="METRICS_TOKEN"):
        serve(tmp_path / "metrics", host=host, port=0, token=None)
