"""Both load generators send what they are told to, and count what came back."""

import shutil
import sys
from collections.abc import Generator

import pytest

from perf.bench import load as load_module
from perf.bench.client import WebRequest
from perf.bench.errors import BenchmarkError
from perf.bench.load import Load, generator_name, put_under_load
from tests.perf.bench.web_doubles import FakeWeb, fake_web


@pytest.fixture
def web() -> Generator[FakeWeb]:
    with fake_web() as web:
        yield web


@pytest.fixture(params=["wrk", "a Python generator"])
def generator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    if name == "wrk" and shutil.which("wrk") is None:
        pytest.skip("wrk is not installed")
    monkeypatch.setattr(load_module, "generator_name", lambda: name)
    return name


def make_load(*requests: WebRequest) -> Load:
    return Load(requests=requests, connections=3, seconds=1)


@pytest.mark.usefixtures("generator")
def test_every_request_is_sent_as_it_is_and_timed(web: FakeWeb) -> None:
    post = WebRequest(
        path="/b?c=1", method="POST", headers={"X-Key": "k"}, body=b'{"d":\n2}'
    )
    result = put_under_load(web.address, make_load(WebRequest(path="/a"), post))
    assert web.asked == {("GET", "/a", "", b""), ("POST", "/b?c=1", "k", b'{"d":\n2}')}
    assert result.is_clean
    assert result.requests_per_s == result.requests / result.seconds
    assert 0 < result.p50_ms <= result.p95_ms <= result.p99_ms


@pytest.mark.usefixtures("generator")
def test_what_is_refused_counts_as_an_error(web: FakeWeb) -> None:
    result = put_under_load(web.address, make_load(WebRequest(path=web.broken)))
    assert not result.is_clean
    assert result.errors == pytest.approx(result.requests, abs=3)


def test_a_generator_that_fails_gives_no_figure(
    web: FakeWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[str]:
        return [sys.executable, "-c", "raise OSError"]

    monkeypatch.setattr(load_module, "_wrk_argv", fail)
    monkeypatch.setattr(load_module, "_python_argv", fail)
    with pytest.raises(BenchmarkError, match="OSError"):
        put_under_load(web.address, make_load(WebRequest(path="/a")))


def test_without_wrk_the_rows_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert generator_name() == "a Python generator"
