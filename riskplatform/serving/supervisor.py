"""Starts services in order, again when they die or hang, stops them in reverse."""

import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType

from riskplatform.embedded.errors import EmbeddedServerError
from riskplatform.embedded.process import ChildProcess, Launch, log_tail, rotate_log
from riskplatform.embedded.server import Server, Service, Site
from riskplatform.serving.beside import BesideCommand
from riskplatform.serving.log_rotation import rotate_running
from riskplatform.serving.watched import EVERY_S, Prober, WatchedService

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TICK_S = 0.2
STEP_STOP_S = 5.0
FORCE_AFTER_S = 0.5

Say = Callable[[str], None]


class StopRequestedError(Exception):
    """The supervisor was stopped while it was still starting."""


class Supervisor:
    def __init__(self, *, site: Site, say: Say, probe_every_s: float = EVERY_S) -> None:
        self._site = site
        self._probe_every_s = probe_every_s
        self._say = say
        self._watched: list[WatchedService] = []
        self._beside: BesideCommand | None = None
        self._stop_requested = threading.Event()
        self._asked_s = 0.0
        self._force = False

    @contextmanager
    def signals_handled(self) -> Generator[None]:
        """Stop on the first signal inside the block, force it on the second."""
        # nohup ignores SIGHUP on purpose.
        before = {
            number: signal.signal(number, self._on_signal)
            for number in STOP_SIGNALS
            if (number, signal.getsignal(number)) != (signal.SIGHUP, signal.SIG_IGN)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def bring_up(self, services: Sequence[Service]) -> None:
        """Start each and wait until it answers before the next one starts."""
        for service in services:
            self._raise_if_stopping()
            begun_s = time.monotonic()
            if isinstance(service, Server):
                self._name_port(service)
            prober = Prober(service, every_s=self._probe_every_s)
            watched = WatchedService(service=service, prober=prober, started_s=begun_s)
            self._watched.append(watched)
            service.start_and_wait(pause=self._pause)
            took_s = time.monotonic() - begun_s
            self._say(f"{service.name:<11} ready in {took_s:4.1f} s  {service.address}")

    def run_step(self, name: str, launch: Launch) -> None:
        """Run a command to its end; its output goes to a log of its own."""
        self._raise_if_stopping()
        log = self._site.logs / f"{name}.log"
        rotate_log(log)
        self._say(f"{name:<11} runs (log: {log})")
        begun_s = time.monotonic()
        child = ChildProcess(launch, log=log, reaper=self._site.reaper)
        try:
            while child.exit_code is None:
                self._pause(TICK_S)
        finally:
            child.ask_to_stop()
            child.wait(timeout_s=STEP_STOP_S)
            child.kill_group()
        if child.exit_code:
            raise EmbeddedServerError(
                f"{name} failed with code {child.exit_code}. The end of {log}:\n"
                f"{log_tail(log)}",
                name=name,
            )
        self._say(f"{name:<11} done in {time.monotonic() - begun_s:5.1f} s")

    def run_beside(self, name: str, launch: Launch) -> None:
        """Start a command whose lines are said while everything runs."""
        self._beside = BesideCommand(name, launch, site=self._site, say=self._say)

    def watch(self) -> None:
        """Keep everything running until it is stopped."""
        while not self._stop_requested.wait(TICK_S):
            if self._beside is not None:
                self._beside.look()
            for watched in self._watched:
                self._look_after(watched, now_s=time.monotonic())
                max_bytes = self._site.max_log_bytes
                rotate_running(watched.service.log, max_bytes=max_bytes)

    def stop(self) -> None:
        """Stop all in reverse order; a second signal leaves no time to any."""
        if self._beside is not None:
            self._beside.stop()
        while self._watched:
            service = self._watched.pop().service
            if service.pid is None:
                continue
            self._say(f"{service.name:<11} stopping")
            if not self._stopped_in_time(service):
                self._say(f"{service.name:<11} did not stop and was killed")

    def _look_after(self, watched: WatchedService, *, now_s: float) -> None:
        service = watched.service
        if watched.restart_at_s is not None:
            if now_s >= watched.restart_at_s:
                self._start_again(watched, now_s=now_s)
        elif not service.is_alive():
            self._plan_restart(watched, f"ended with code {service.exit_code}", now_s)
        elif not watched.ready:
            self._check_ready(watched, now_s=now_s)
        else:
            self._check_still_answers(watched, now_s=now_s)

    def _check_still_answers(self, watched: WatchedService, *, now_s: float) -> None:
        watched.prober.look()
        if watched.prober.is_hung:
            # A hung process does not react to SIGTERM.
            watched.service.stop(timeout_s=0)
            count = watched.prober.n_unanswered
            self._plan_restart(watched, f"hung: {count} probes unanswered", now_s)

    def _start_again(self, watched: WatchedService, *, now_s: float) -> None:
        watched.restart_at_s = None
        watched.ready = False
        watched.started_s = now_s
        watched.prober.forget()
        try:
            watched.service.start()
        except (EmbeddedServerError, OSError) as error:
            self._plan_restart(watched, f"could not be started: {error}", now_s)

    def _check_ready(self, watched: WatchedService, *, now_s: float) -> None:
        service = watched.service
        took_s = time.monotonic() - watched.started_s
        if service.answers():
            watched.ready = True
            self._say(
                f"{service.name:<11} is back after {took_s:.1f} s  {service.address}"
            )
        elif took_s > service.start_timeout_s:
            service.stop()
            self._plan_restart(watched, "does not answer", now_s)

    def _plan_restart(self, watched: WatchedService, reason: str, now_s: float) -> None:
        delay_s = watched.backoff.next_delay_s(lived_s=now_s - watched.started_s)
        watched.restart_at_s = now_s + delay_s
        self._say(
            f"{watched.service.name:<11} {reason}; starts again in {delay_s:.1f} s"
            f" (log: {watched.service.log})"
        )

    def _stopped_in_time(self, service: Service) -> bool:
        service.ask_to_stop()
        deadline_s = time.monotonic() + service.stop_timeout_s
        while service.is_alive() and time.monotonic() < deadline_s and not self._force:
            time.sleep(TICK_S / 4)
        # What is still there now, and what it left behind, is killed.
        return service.stop(timeout_s=0)

    def _name_port(self, server: Server) -> None:
        if server.preferred_port not in {0, server.port}:
            self._say(
                f"{server.name:<11} port {server.preferred_port} is busy, "
                f"taking {server.port}"
            )

    def _pause(self, duration_s: float) -> None:
        self._stop_requested.wait(duration_s)
        self._raise_if_stopping()

    def _raise_if_stopping(self) -> None:
        if self._stop_requested.is_set():
            raise StopRequestedError

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # Wrappers such as timeout(1) deliver one signal twice in the same instant.
        if not self._stop_requested.is_set():
            self._asked_s = time.monotonic()
        self._force = time.monotonic() - self._asked_s > FORCE_AFTER_S
        self._stop_requested.set()
