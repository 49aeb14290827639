"""The first member of staff, so that somebody can sign in where nobody is yet."""

import secrets
from pathlib import Path

from django.contrib.auth.models import User

USERNAME = "admin"
PASSWORD_FILE = "admin-password"  # noqa: S105 - a name


def ensure_first_admin(folder: Path) -> Path | None:
    """Create a superuser if there is none; returns the file with the password.

    The file is readable by its owner only; None means that staff exists already.
    """
    if User.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    path = folder / PASSWORD_FILE
    path.touch(mode=0o600)
    path.write_text(password, encoding="ascii")
    User.objects.create_superuser(USERNAME, password=password)
    return path
