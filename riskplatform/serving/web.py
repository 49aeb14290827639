"""Granian with a draining stop: `python -m riskplatform.serving.web --port 8000`.

Granian finishes the requests in flight, but closes idle connections at once, under the
hands of clients that are about to use them again. So first, for a moment, every answer
says `Connection: close` and the readiness probe says 503, while requests are taken on.
"""

import os
import resource
import shutil
import signal
import time
from argparse import ArgumentParser
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Thread
from types import FrameType
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MPServer, mp

from riskplatform.embedded.attach import var_folder
from riskplatform.embedded.ports import LOOPBACK
from riskplatform.kernel import metrics_files
from riskplatform.serving.connections import ConnectionLimit
from riskplatform.serving.granian_requests import request_callback
from riskplatform.serving.web_workers import watch_workers

APPLICATION = "riskplatform.wsgi:application"
DRAIN_SIGNAL = signal.SIGUSR1
# How long clients are sent away before connections are closed.
LAME_DUCK_S = 1.5
TELL_AGAIN_S = 0.1
POLL_S = 0.05
# How long requests in flight may take after that.
WORKER_KILL_TIMEOUT_S = 25
# The longest Granian allows: an idle thread takes its database connections along.
IDLE_THREAD_TIMEOUT_S = 600
# Granian counts open connections, idle ones included, not requests at work.
CONNECTIONS_PER_WORKER = 2_048
# Other descriptors of a worker: databases, files, arrays in memory.
OTHER_DESCRIPTORS = 512
# A client has so long for the headers of a request, also of a second one.
HEADERS_TIMEOUT_MS = 10_000
# What Granian keeps of a connection while it reads; headers have to fit in.
READ_BUFFER_BYTES = 64 << 10
# For cached responses, bodies and probes; other work has threads of its own.
THREADS_PER_WORKER = 8
RESPAWN_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSize:
    """How many processes answer requests, and with how many threads each."""

    workers: int = os.cpu_count() or 1
    threads: int = THREADS_PER_WORKER


class DrainingGranian(MPServer):
    """Stops in order: clients are sent away, listening, requests in flight, itself."""

    def __init__(self, target: str, *, lame_duck_s: float, **options: Any) -> None:
        super().__init__(target, **options)
        self._lame_duck_s = lame_duck_s
        self._is_in_a_hurry = False

    def startup(self, *arguments: Any) -> None:
        # The signal would end a worker that has no handler yet.
        signal.signal(DRAIN_SIGNAL, signal.SIG_IGN)
        self._heartbeats = watch_workers(self._worker_pids)
        super().startup(*arguments)  # type: ignore[no-untyped-call]  # half typed

    def _worker_pids(self) -> list[int]:
        return [worker.inner.pid for worker in list(self.wrks) if worker.inner.pid]

    def shutdown(self, exit_code: int = 0) -> None:
        if self.interrupt_signal:
            self._send_clients_away()
        shutil.rmtree(self._heartbeats, ignore_errors=True)
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]  # half typed

    def _send_clients_away(self) -> None:
        # Granian's handler takes a lock, which this thread might hold at a second
        # signal; this one only notes it.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hurry)
        Thread(target=self._tell_workers, daemon=True).start()
        until_s = time.monotonic() + self._lame_duck_s
        while not self._is_in_a_hurry and time.monotonic() < until_s:
            time.sleep(POLL_S)

    def _hurry(self, _number: int, _frame: FrameType | None) -> None:
        self._is_in_a_hurry = True

    def _tell_workers(self) -> None:
        """Repeat it until they have ended.

        Python notices no signal that comes just when its main thread begins to wait;
        the next one makes it notice both, Granian's SIGTERM too.
        """
        while self.wrks:
            for worker in list(self.wrks):
                with suppress(ProcessLookupError):
                    if worker.inner.exitcode is None:
                        os.kill(worker.inner.pid, DRAIN_SIGNAL)
            time.sleep(TELL_AGAIN_S)


def serve(
    target: str, *, host: str, port: int, size: WebSize, lame_duck_s: float
) -> None:
    # Settings count with the threads that there are.
    os.environ["WEB_THREADS"] = str(size.threads)
    DrainingGranian(
        target,
        lame_duck_s=lame_duck_s,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        websockets=False,
        # A connection that may become HTTP/2 has no time limit until it has decided.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADERS_TIMEOUT_MS, max_buffer_size=READ_BUFFER_BYTES
        ),
        workers=size.workers,
        blocking_threads=size.threads,
        blocking_threads_idle_timeout=IDLE_THREAD_TIMEOUT_S,
        backpressure=allowed_connections(),
        respawn_failed_workers=True,
        respawn_interval=RESPAWN_INTERVAL_S,
        workers_kill_timeout=WORKER_KILL_TIMEOUT_S,
        log_level=LogLevels.info,
    ).serve(spawn_target=partial(work, port))


def work(port: int, *arguments: Any) -> None:
    """Answer requests in a process of its own, until stopped."""
    metrics_files.begin(var_folder(), "web")
    # Granian has no public way to say what answers a request.
    setattr(mp, "_wsgi_call_wrap", request_callback)  # noqa: B010
    ConnectionLimit(port).start()
    MPServer._spawn_wsgi_worker(*arguments)  # noqa: SLF001 - what Granian would start


def allowed_connections() -> int:
    """Raise the limit of descriptors as far as needed; return what fits into it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_PER_WORKER + OTHER_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(128, soft - OTHER_DESCRIPTORS)
    return CONNECTIONS_PER_WORKER


def main() -> None:
    size = WebSize()
    parser = ArgumentParser(prog="python -m riskplatform.serving.web")
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on")
    parser.add_argument("--workers", type=int, default=size.workers)
    parser.add_argument("--threads", type=int, default=size.threads)
    parser.add_argument("--lame-duck", type=float, default=LAME_DUCK_S, metavar="S")
    parser.add_argument("application", nargs="?", default=APPLICATION)
    given = parser.parse_args()
    serve(
        given.application,
        host=given.host,
        port=given.port,
        size=WebSize(workers=given.workers, threads=given.threads),
        lame_duck_s=given.lame_duck,
    )


if __name__ == "__main__":
    main()
