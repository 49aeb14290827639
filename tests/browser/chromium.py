"""Drives a headless Chromium over its DevTools protocol."""

import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import websocket

EXECUTABLE = Path("/usr/bin/chromium")
START_TIMEOUT_S = 30
COMMAND_TIMEOUT_S = 20
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1400,900",
)


class BrowserError(AssertionError):
    """The browser refused a command or did not get there in time."""


class NavigatedError(BrowserError):
    """The page went on to another one meanwhile."""


class Page:
    """One tab; `problems` collects what its console and its requests complain of."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self.problems: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **params: object) -> dict[str, object]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        self._socket.send(json.dumps(message))
        deadline = time.monotonic() + COMMAND_TIMEOUT_S
        while time.monotonic() < deadline:
            answer = json.loads(self._socket.recv())
            if answer.get("id") != number:
                self._note(answer)
            elif "error" in answer and "navigated" in str(answer["error"]):
                raise NavigatedError(f"{method}: {answer['error']}")
            elif "error" in answer:
                raise BrowserError(f"{method}: {answer['error']}")
            else:
                return dict(answer["result"])
        raise BrowserError(f"{method}: no answer within {COMMAND_TIMEOUT_S} s")

    def open(self, url: str) -> None:
        self.problems.clear()
        self.command("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def evaluate(self, expression: str) -> object:
        answer = self.command(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']}")
        result = answer["result"]
        return result.get("value") if isinstance(result, dict) else None

    def wait_for(self, expression: str, *, timeout_s: float = 20) -> object:
        """Poll until the expression is true and return its value."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            # A page that goes on to another one cannot be asked for a moment.
            with suppress(NavigatedError):
                if value := self.evaluate(expression):
                    return value
            time.sleep(0.05)
        raise BrowserError(f"not true in {timeout_s} s: {expression} {self.problems}")

    def wait_for_problem(self, *, timeout_s: float = 20) -> str:
        deadline = time.monotonic() + timeout_s
        while not self.problems and time.monotonic() < deadline:
            self.evaluate("0")
            time.sleep(0.05)
        return self.problems[0]

    def move_mouse(self, left: float, top: float) -> None:
        self._mouse("mouseMoved", left, top)

    def click(self, left: float, top: float) -> None:
        self.move_mouse(left, top)
        self._mouse("mousePressed", left, top)
        self._mouse("mouseReleased", left, top)

    def choose_file(self, selector: str, path: Path) -> None:
        root: Any = self.command("DOM.getDocument")["root"]
        found = self.command(
            "DOM.querySelector", nodeId=root["nodeId"], selector=selector
        )
        self.command("DOM.setFileInputFiles", nodeId=found["nodeId"], files=[str(path)])

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.command("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def _mouse(self, kind: str, left: float, top: float) -> None:
        is_move = kind == "mouseMoved"
        self.command(
            "Input.dispatchMouseEvent",
            type=kind,
            x=left,
            y=top,
            button="none" if is_move else "left",
            clickCount=0 if is_move else 1,
        )

    def _note(self, event: dict[str, dict[str, object]]) -> None:
        problem = _problem_in(str(event.get("method")), event.get("params", {}))
        if problem:
            self.problems.append(problem)


class Browser:
    """A running Chromium that opens tabs."""

    def __init__(self, port: int) -> None:
        self._port = port

    @contextmanager
    def page(self) -> Iterator[Page]:
        socket = websocket.create_connection(
            self._new_tab(), timeout=COMMAND_TIMEOUT_S, suppress_origin=True
        )
        with closing(socket):
            page = Page(socket)
            yield page
            page.command("Page.close")

    def _new_tab(self) -> str:
        client = HTTPConnection("127.0.0.1", self._port, timeout=COMMAND_TIMEOUT_S)
        with closing(client):
            client.request("PUT", "/json/new?about:blank")
            return str(json.load(client.getresponse())["webSocketDebuggerUrl"])


@contextmanager
def open_browser(profile: Path) -> Iterator[Browser]:
    """Start a browser with a fresh profile folder and end it with the block."""
    process = subprocess.Popen(
        [EXECUTABLE, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Browser(_port_of(profile, process))
    finally:
        process.terminate()
        process.wait(timeout=START_TIMEOUT_S)


def _port_of(profile: Path, process: subprocess.Popen[bytes]) -> int:
    """Chromium writes the port that it chose into its profile folder."""
    announcement = profile / "DevToolsActivePort"
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if announcement.exists() and "\n" in announcement.read_text():
            return int(announcement.read_text().splitlines()[0])
        time.sleep(0.05)
    raise BrowserError(f"Chromium did not start, exit code {process.poll()}")


def _problem_in(method: str, params: dict[str, object]) -> str | None:
    """Errors and warnings only: exceptions, console, policy violations, failures."""
    problem = None
    match method, params:
        case "Runtime.exceptionThrown", {"exceptionDetails": details}:
            problem = f"exception: {details}"
        case "Runtime.consoleAPICalled", {"type": "error" | "warning", "args": args}:
            problem = f"console: {args}"
        case "Log.entryAdded", {"entry": {"level": "error" | "warning", "text": text}}:
            problem = f"log: {text}"
        case "Network.responseReceived", {
            "response": {"status": int(status), "url": u}
        }:
            problem = f"status {status}: {u}" if status >= 400 else None
    return problem
