"""The key with which an installation without one of its own signs."""

import os
import secrets
from pathlib import Path

from riskplatform.private_folder import private_folder, stored_secret

# Set while only help is printed, which makes no file.
HELP_VARIABLE = "RISKPLATFORM_ONLY_HELP"
N_BYTES = 50


def stored_secret_key(folder: Path) -> str:
    """Make a key for this machine once and keep it readable by its owner only."""
    if HELP_VARIABLE in os.environ:
        return secrets.token_urlsafe(N_BYTES)
    return stored_secret(private_folder(folder) / "secret-key", n_bytes=N_BYTES)
