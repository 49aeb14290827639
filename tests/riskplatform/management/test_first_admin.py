from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from riskplatform.management.first_admin import ensure_first_admin

pytestmark = pytest.mark.django_db


def test_the_first_admin_can_sign_in_with_the_password_in_the_file(
    tmp_path: Path, stranger: Client
) -> None:
    path = ensure_first_admin(tmp_path)
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert stranger.login(username="admin", password=path.read_text())


def test_staff_that_exists_is_left_alone(tmp_path: Path) -> None:
    User.objects.create_superuser("ann", password="kept")
    assert ensure_first_admin(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
