"""What this machine has and lacks: interpreter, packages, disk, ports and tools."""

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from riskplatform.embedded.ports import is_free

CHECKOUT = Path(__file__).resolve().parents[2]
OLDEST_PYTHON = (3, 11)
WANTED_FREE_GB = 2.0
NEEDED_FREE_GB = 0.5
SHOWN_PACKAGES = 5
PORTS = {"web": 8000, "realtime": 8001, "valkey": 6379, "clickhouse": 9000}
# What each optional tool is for, and the programs that will do.
TOOLS = {
    "chromium": ("browser tests", ("chromium", "chromium-browser", "google-chrome")),
    "wrk": ("load tests", ("wrk",)),
    "prometheus": ("checks of the alert rules", ("promtool",)),
    "nginx": ("checks of the proxy configuration", ("nginx",)),
}

OK, MISSING, FAILING = "ok", "missing", "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The state of one dependency, and what to do when it is not well."""

    name: str
    state: str
    detail: str
    fix: str = ""
    required: bool = True

    @property
    def blocks(self) -> bool:
        return self.required and self.state != OK


def check_python() -> Diagnosis:
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Diagnosis(
        name="python",
        state=OK if sys.version_info >= OLDEST_PYTHON else FAILING,
        detail=f"{sys.version.split()[0]} at {sys.executable}",
        fix=f"Install Python {wanted} or newer and run `make setup` again.",
    )


def check_packages(purpose: str, *, required: bool) -> Diagnosis:
    """Compare what is installed with the exact versions of one requirements file."""
    file = CHECKOUT / "requirements" / f"{purpose}.txt"
    wrong = [problem for problem in map(_package_problem, _pins(file)) if problem]
    more = f" and {len(wrong) - SHOWN_PACKAGES} more" if wrong[SHOWN_PACKAGES:] else ""
    return Diagnosis(
        name=f"packages ({purpose})",
        state=MISSING if wrong else OK,
        detail=(", ".join(wrong[:SHOWN_PACKAGES]) + more)
        or f"{len(_pins(file))} packages as pinned",
        fix="make setup-dev" if purpose == "dev" else "make setup",
        required=required,
    )


def check_disk(var: Path) -> Diagnosis:
    existing = next(path for path in (var, *var.parents) if path.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    return Diagnosis(
        name="disk",
        state=OK if free_gb >= WANTED_FREE_GB else FAILING,
        detail=f"{free_gb:.1f} GB free at {existing}",
        fix=f"Free {WANTED_FREE_GB:g} GB, or set RISKPLATFORM_VAR to another disk.",
        required=free_gb < NEEDED_FREE_GB,
    )


def check_folder(var: Path) -> Diagnosis:
    existing = next(path for path in (var, *var.parents) if path.exists())
    return Diagnosis(
        name="data folder",
        state=OK if os.access(existing, os.W_OK | os.X_OK) else FAILING,
        detail=f"{var}" if var.exists() else f"{var} will be created",
        fix=f"Make {existing} writable, or set RISKPLATFORM_VAR.",
    )


def check_ports(*, supervisor_runs: bool) -> Diagnosis:
    busy = [f"{name} {port}" for name, port in PORTS.items() if not is_free(port)]
    if supervisor_runs:
        detail = "in use by the running `manage.py up`"
    elif busy:
        detail = f"busy: {', '.join(busy)}; `manage.py up` takes others and names them"
    else:
        detail = "all free"
    return Diagnosis(name="ports", state=OK, detail=detail, required=False)


def check_tool(name: str) -> Diagnosis:
    purpose, programs = TOOLS[name]
    found = next(filter(None, map(shutil.which, programs)), None)
    return Diagnosis(
        name=name,
        state=OK if found else MISSING,
        detail=found or f"not installed; only for {purpose}",
        fix="make setup-extras",
        required=False,
    )


def _pins(file: Path) -> list[tuple[str, str]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    pins = [line.split(";")[0].split("#")[0].strip().partition("==") for line in lines]
    return [(name, wanted) for name, separator, wanted in pins if separator]


def _package_problem(pin: tuple[str, str]) -> str:
    name, wanted = pin
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed"
    return "" if found == wanted else f"{name} is {found}, not {wanted}"
