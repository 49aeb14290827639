"""Preparing is done once and repeated for nothing."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_static_files_are_collected_again_only_when_they_changed() -> None:
    first, second = StringIO(), StringIO()
    call_command("prepare", stdout=first)
    stamp = Path(settings.STATIC_ROOT).with_name("static.digest")
    collected = stamp.stat().st_mtime_ns
    call_command("prepare", stdout=second)
    assert first.getvalue().count("No migrations to apply.") == 2
    assert "The static files are unchanged." in second.getvalue()
    assert stamp.stat().st_mtime_ns == collected
    stamp.write_text("of another version")
    call_command("prepare", stdout=StringIO())
    assert stamp.read_text() != "of another version"


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_static_files_can_be_left_out() -> None:
    output = StringIO()
    call_command("prepare", "--no-static", stdout=output)
    assert "static" not in output.getvalue()
