"""Model artifacts from outside: read from configured folders only, tried in a child.

A folder is named by `MODEL_STORES`; `store://name/path` is all that is understood, so
that no address leads anywhere else. No step of a path may be a link.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final

from django.conf import settings

from scoring.engine.artifacts import LARGEST_BYTES
from scoring.errors import ArtifactNotUsableError

SUFFIX: Final = ".model"
MOST_FILES: Final = 20
URI = re.compile(r"store://(?P<store>[a-z0-9][a-z0-9-]{0,39})/(?P<path>[^\x00\\%?#]+)")
FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# To open a pipe without this waits for its other end.
FILE_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


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
            names = _model_files(folder) if is_folder else [parts[-1]]
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


def _model_files(folder: int) -> list[str]:
    names = sorted(name for name in os.listdir(folder) if name.endswith(SUFFIX))
    if len(names) > MOST_FILES:
        raise _unusable(
            f"The folder holds {len(names)} files, not {MOST_FILES} at most."
        )
    return names


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
