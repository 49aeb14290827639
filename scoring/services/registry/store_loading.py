"""Tries artifacts in a child process, and describes them."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.conf import settings

from scoring.errors import ArtifactNotUsableError
from scoring.horizons import DAY_S
from scoring.models import Region
from scoring.selectors.regions import list_cell_ids
from scoring.services.registry import store_trial
from scoring.services.registry.store_trial import REFUSED, Order

TRIAL_TIMEOUT_S = 60.0
TRIAL_CPU_S = 15
TRIAL_MEMORY_BYTES = 3 << 29


class Description(msgspec.Struct, forbid_unknown_fields=True):
    """What a forecaster says of itself."""

    kind: str
    horizon_s: float
    timezone: str
    fitted_from_s: float
    fitted_until_s: float
    n_events: int


def try_artifacts(
    bodies: list[bytes], *, region: Region
) -> list[tuple[Description, bytes]]:
    """Have each forecast for the cells of a region, in a child process.

    They are artifacts of one forecaster, each for a horizon of its own.

    Raises
    ------
    ArtifactNotUsableError
        One cannot be used, or they do not belong together.
    """
    cells = list_cell_ids(region).tolist()
    tried = [(_try_artifact(body, cells), body) for body in bodies]
    first = tried[0][0]
    horizons = sorted(int(description.horizon_s) for description, _ in tried)
    if len(set(horizons)) < len(horizons):
        raise _unusable(f"Several artifacts are for one horizon: {horizons} s.")
    for description, _ in tried:
        if (description.kind, description.timezone) != (first.kind, first.timezone):
            raise _unusable("The artifacts are of several kinds, or time zones.")
    return tried


def _try_artifact(body: bytes, cells: list[int]) -> Description:
    """Start the child; whatever happens there stays there."""
    order = Order(cells=cells, cpu_s=TRIAL_CPU_S, memory_bytes=TRIAL_MEMORY_BYTES)
    try:
        done = subprocess.run(  # noqa: S603 - our own module; the artifact is its input
            [sys.executable, "-m", store_trial.__name__],
            input=msgspec.json.encode(order) + b"\n" + body,
            capture_output=True,
            cwd=settings.BASE_DIR,
            env=_environment(),
            timeout=TRIAL_TIMEOUT_S,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _unusable("The artifact takes too long to load.") from error
    if done.returncode == REFUSED:
        reason = done.stdout.decode(errors="replace")[:300]
        raise _unusable(f"The artifact cannot be used: {reason}")
    if done.returncode:
        raise _unusable(
            f"Loading the artifact ended its process with code {done.returncode}: it "
            "is damaged, or needs more memory or time than is given."
        )
    return _described(done.stdout)


def _described(said: bytes) -> Description:
    try:
        description = msgspec.json.decode(said, type=Description)
        moment_of(description.fitted_from_s)
        moment_of(description.fitted_until_s)
    except (msgspec.DecodeError, ValueError, OverflowError, OSError) as error:
        raise _unusable(f"The artifact describes no forecaster: {error}.") from error
    horizon_s = description.horizon_s
    if not (0 < horizon_s <= 366 * DAY_S and horizon_s.is_integer()):
        raise _unusable(f"The artifact has a horizon of {horizon_s} s.")
    if not 0 <= description.n_events < 1 << 31:
        raise _unusable(f"The artifact rests on {description.n_events} events.")
    return description


def _environment() -> dict[str, str]:
    """Leave out what the child has no use for, secrets above all."""
    inherited = {
        name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ
    }
    return {**inherited, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def moment_of(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, tz=UTC)


def _unusable(reason: str, **context: Any) -> ArtifactNotUsableError:
    return ArtifactNotUsableError(reason, field="artifact_uri", **context)
