"""The folder for data is for its owner alone: session keys and hashes lie in it."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE_UMASK = 0o077
OTHERS = 0o077
# The embedded PostgreSQL keeps its files here; where we are root it is another account.
PASSED_THROUGH = "postgres"


def private_folder(folder: Path) -> Path:
    """Make the folder, or take it and what lies in it away from other accounts.

    What belongs to somebody else is left as it is.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.name != PASSED_THROUGH:
            _take_away(entry, OTHERS)
    is_passed = os.geteuid() == 0 and (folder / PASSED_THROUGH).is_dir()
    _take_away(folder, OTHERS & ~stat.S_IXOTH if is_passed else OTHERS)
    return folder


def stored_secret(path: Path, *, n_bytes: int) -> str:
    """Give the secret in a file that its owner alone may read, made on first use."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = path.with_name(f"{path.name}.{os.getpid()}")
        own.touch(mode=0o600)
        own.write_text(secrets.token_urlsafe(n_bytes), encoding="ascii")
        # Of several processes that start at once, the first names the secret.
        with suppress(FileExistsError):
            path.hardlink_to(own)
        own.unlink()
    return path.read_text(encoding="ascii").strip()


def let_pass(folder: Path) -> None:
    """Let other accounts pass through a folder, not look into it."""
    folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)


def _take_away(path: Path, bits: int) -> None:
    try:
        found = path.lstat()
        if found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode):
            path.chmod(stat.S_IMODE(found.st_mode) & ~bits)
    except FileNotFoundError:
        # Other processes write beside and rename.
        return
