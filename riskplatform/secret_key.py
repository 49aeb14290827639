"""The key with which an installation without one of its own signs."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from riskplatform.private_folder import private_folder

# Set while only help is printed, which makes no file.
HELP_VARIABLE = "RISKPLATFORM_ONLY_HELP"


def stored_secret_key(folder: Path) -> str:
    """Make a key for this machine once and keep it readable by its owner only."""
    path = folder / "secret-key"
    if HELP_VARIABLE in os.environ:
        return secrets.token_urlsafe(50)
    private_folder(folder)
    if not path.exists():
        own = path.with_name(f"secret-key.{os.getpid()}")
        own.touch(mode=0o600)
        own.write_text(secrets.token_urlsafe(50), encoding="ascii")
        # Of several processes that start at once, the first names the key.
        with suppress(FileExistsError):
            path.hardlink_to(own)
        own.unlink()
    return path.read_text(encoding="ascii")
