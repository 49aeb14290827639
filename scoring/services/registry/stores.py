"""Model artifacts from outside: read from configured folders only, tried in a child.

A folder is named by `MODEL_STORES`; `store://name/path` is all that is understood, so
that no address leads anywhere else. No step of a path may be a link.
"""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec
from django.conf import settings

from scoring.engine.artifacts import LARGEST_BYTES
from scoring.errors import ArtifactNotUsableError
from scoring.horizons import DAY_S
from scoring.models import Region
from scoring.selectors.regions import list_cell_ids
from scoring.services.registry import store_trial
from scoring.services.registry.store_trial import REFUSED, Description, Order

SUFFIX: Final = ".model"
MOST_FILES: Final = 20
URI = re.compile(r"store://(?P<store>[a-z0-9][a-z0-9-]{0,39})/(?P<path>[^\x00\\%?#]+)")
FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# To open a pipe without this waits for its other end.
FILE_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
TRIAL_TIMEOUT_S = 60.0
TRIAL_CPU_S = 15
TRIAL_MEMORY_BYTES = 3 << 29


def read_artifacts(uri: str) -> list[bytes]:
    """Read one file, or the `*.model` files of a folder (an address that ends in /).

    Raises
    ------
    ArtifactNotUsableError
        The address is none of a configured store, or nothing readable is there.
    """
    root, parts = _locate(uri)
    is_folder = uri.endswith("/")
    try:
        with _opened(root, parts if is_folder else parts[:-1]) as folder:
            names = [parts[-1]]
            if is_folder:
                known = os.listdir(folder)  # noqa: PTH208 - of a descriptor
                names = sorted(name for name in known if name.endswith(SUFFIX))
            if len(names) > MOST_FILES:
                raise _unusable(
                    f"The folder holds {len(names)} files, not {MOST_FILES} at most."
                )
            found = [_read(folder, name) for name in names]
    except OSError as error:
        raise _unusable(f"{uri} cannot be read: {error.strerror or error}.") from error
    if not found:
        raise _unusable(f"{uri} holds no file that ends in {SUFFIX}.")
    return found


def _locate(uri: str) -> tuple[Path, tuple[str, ...]]:
    match = URI.fullmatch(uri)
    root = None if match is None else settings.MODEL_STORES.get(match["store"])
    if match is None or root is None:
        known = ", ".join(sorted(settings.MODEL_STORES)) or "none"
        raise _unusable(
            f"The address is not store://name/path of a configured store ({known})."
        )
    steps = match["path"].rstrip("/").split("/")
    if any(step in {"", ".", ".."} for step in steps):
        raise _unusable("The path of the address has an empty step, or one of dots.")
    return Path(root), PurePosixPath(*steps).parts


@contextmanager
def _opened(root: Path, parts: tuple[str, ...]) -> Iterator[int]:
    """Open a folder step by step, so that nothing on the way can be exchanged."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            inner = os.open(part, FOLDER_FLAGS, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        with suppress(OSError):
            os.close(descriptor)


def _read(folder: int, name: str) -> bytes:
    with os.fdopen(os.open(name, FILE_FLAGS, dir_fd=folder), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(f"{name} is not a file.")
        if status.st_size > LARGEST_BYTES:
            raise _unusable(f"{name} is larger than {LARGEST_BYTES} bytes.")
        return file.read(LARGEST_BYTES + 1)


def _unusable(reason: str) -> ArtifactNotUsableError:
    return ArtifactNotUsableError(reason, field="artifact_uri")


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
    # What the child has no use for is left out, secrets above all.
    inherited = {
        name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ
    }
    environment = inherited | {
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    order = Order(cells=cells, cpu_s=TRIAL_CPU_S, memory_bytes=TRIAL_MEMORY_BYTES)
    try:
        done = subprocess.run(  # noqa: S603 - our own module; the artifact is its input
            [sys.executable, "-m", store_trial.__name__],
            input=msgspec.json.encode(order) + b"\n" + body,
            capture_output=True,
            cwd=settings.BASE_DIR,
            env=environment,
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
        raise _unusable(f"The artifact says {description.n_events} events.")
    return description


def moment_of(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, tz=UTC)
