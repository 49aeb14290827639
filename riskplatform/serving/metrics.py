"""Serves `/metrics` of all processes: `python -m riskplatform.serving.metrics`.

A process of its own, because each of the others knows only what it counts itself. It
listens on loopback; anywhere else it asks for a token.
"""

import hmac
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from socketserver import ThreadingMixIn
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Metric, make_wsgi_app
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from riskplatform.embedded.attach import var_folder
from riskplatform.embedded.ports import LOOPBACK
from riskplatform.env import EnvError, env_secret
from riskplatform.kernel import metrics_files
from riskplatform.kernel.process_metrics import ProcessCollector

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PORT: Final = 8002
LIVENESS: Final = "/health/live"
# What a probe is told, so that one can see whether anybody reads the metrics.
LAST_SCRAPE: Final = "seconds since the last scrape: "
# A client that says nothing holds a thread for so long.
CLIENT_TIMEOUT_S: Final = 10.0
LIVE: Final = "gauge_live"


class Fold(Collector):
    """Adds up the files of all processes; those of the dead become one first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            fold_the_dead(self._folder)
            with TemporaryDirectory(prefix="riskplatform-metrics-") as sums:
                files = [str(file) for file in _summed(self._folder, Path(sums))]
                merged = MultiProcessCollector.merge(files, accumulate=True)  # type: ignore[no-untyped-call]  # half typed
                return list(merged)


def fold_the_dead(folder: Path) -> None:
    """Add what ended processes counted to one set of files, and remove theirs."""
    for kind, files in metrics_files.by_kind(metrics_files.dead_files(folder)):
        if not kind.startswith(LIVE):
            _fold(folder / f"{kind}_{metrics_files.ENDED}.db", files)
        for file in files:
            file.unlink(missing_ok=True)
    metrics_files.forget_locks(folder)


def _summed(folder: Path, sums: Path) -> Iterator[Path]:
    """Give gauges as they are, and of all else one file of sums.

    The library would read the names and labels of each process for themselves.
    """
    for kind, files in metrics_files.by_kind(sorted(folder.glob("*.db"))):
        if kind.startswith("gauge"):
            yield from filter(_is_written, files)
        else:
            target = sums / f"{kind}_all.db"
            _fold(target, files)
            yield target


def _is_written(file: Path) -> bool:
    """Return whether there is anything yet; a process that starts makes it empty."""
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:
        return False


def _fold(target: Path, files: list[Path]) -> None:
    is_gauge = target.name.startswith("gauge")
    found: dict[str, tuple[float, float]] = {}
    for file in (target, *files):
        if not _is_written(file):
            continue
        for key, value, stamp, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]  # half typed
            before = found.get(key, (0.0, 0.0))
            if not is_gauge:
                found[key] = (before[0] + value, 0.0)
            elif stamp >= before[1]:
                found[key] = (value, stamp)
    fresh = target.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    written = MmapedDict(str(fresh))  # type: ignore[no-untyped-call]  # half typed
    for key, (value, stamp) in found.items():
        written.write_value(key, value, stamp)  # type: ignore[no-untyped-call]  # half typed
    written.close()  # type: ignore[no-untyped-call]  # half typed
    fresh.replace(target)


def metrics_application(folder: Path, *, token: str | None) -> "WSGIApplication":
    """Make the application; with a token it answers those who show it."""
    registry = CollectorRegistry()
    registry.register(Fold(folder))
    registry.register(ProcessCollector(folder))
    metrics: WSGIApplication = make_wsgi_app(registry)
    scrapes: list[float] = []
    expected = f"Bearer {token}".encode()

    def application(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == LIVENESS:
            age_s = str(int(time.monotonic() - scrapes[-1])) if scrapes else "none"
            return _say(start_response, "200 OK", LAST_SCRAPE.encode() + age_s.encode())
        if path != "/metrics":
            return _say(start_response, "404 Not Found", b"Only /metrics is here.\n")
        shown = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
        if token and not hmac.compare_digest(shown, expected):
            return _say(start_response, "401 Unauthorized", b"Show the token.\n")
        scrapes[:] = [time.monotonic()]
        return metrics(environ, start_response)

    return application


def _say(start_response: "StartResponse", status: str, body: bytes) -> list[bytes]:
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    if status.startswith("401"):
        headers.append(("WWW-Authenticate", "Bearer"))
    start_response(status, headers)
    return [body]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = CLIENT_TIMEOUT_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing: a scrape every few seconds is no news."""


def serve(folder: Path, *, host: str, port: int, token: str | None) -> None:
    """Serve until stopped.

    Raises
    ------
    EnvError
        It would be open to others than this machine.
    """
    if not token and not _is_loopback(host):
        raise EnvError(
            f"Set METRICS_TOKEN to serve metrics on {host!r}, beyond this machine."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    metrics_files.clear_if_all_have_ended(folder)
    application = metrics_application(folder, token=token)
    with make_server(host, port, application, _Server, _Handler) as server:
        server.serve_forever()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def main() -> None:
    parser = ArgumentParser(prog="python -m riskplatform.serving.metrics")
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on")
    parser.add_argument("--port", type=int, default=PORT, help="port to listen on")
    given = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    folder = metrics_files.folder_of(var_folder())
    try:
        serve(
            folder, host=given.host, port=given.port, token=env_secret("METRICS_TOKEN")
        )
    except (EnvError, OSError) as error:
        sys.exit(f"Metrics cannot be served at {given.host}:{given.port}: {error}")


if __name__ == "__main__":
    main()
