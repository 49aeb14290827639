"""The key with which an installation without one of its own signs."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def kept_secret_key(folder: Path) -> str:
    """Make a key for this machine once and keep it readable by its owner only."""
    path = folder / "secret-key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        own = path.with_name(f"secret-key.{os.getpid()}")
        own.touch(mode=0o600)
        own.write_text(secrets.token_urlsafe(50), encoding="ascii")
        # Of several processes that start at once, the first names the key.
        with suppress(FileExistsError):
            path.hardlink_to(own)
        own.unlink()
    return path.read_text(encoding="ascii")
