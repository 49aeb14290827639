"""Nothing but files of configured stores is read, whatever the address says."""

import os
from pathlib import Path

import pytest
from django.conf import LazySettings

from scoring.errors import ArtifactNotUsableError
from scoring.services.registry.stores import read_artifacts

OUTSIDE = (
    "http://127.0.0.1/model",
    "https://example.org/a.model",
    "file:///etc/passwd",
    "s3://bucket/a.model",
    "/etc/passwd",
    "a.model",
    "store://other/a.model",
    "store://shelf",
    "store://shelf/",
    "store://shelf/../secret",
    "store://shelf/in/../../secret",
    "store://shelf/./a.model",
    "store://shelf//etc/passwd",
    "store://shelf/%2e%2e/secret",
    "store://shelf/..\\secret",
    "store://shelf/a.model\x00.txt",
    "store://shelf/a.model?x=1",
    "store://shelf@evil/a.model",
    "STORE://shelf/a.model",
    "store://shelf/link",
    "store://shelf/linked-folder/secret",
    "store://shelf/pipe",
    "store://shelf/in",
    "store://shelf/absent.model",
    "store://shelf/empty/",
    "store://shelf/" + "a/" * 200,
    "store://shelf/" + "a" * 400,
)


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, settings: LazySettings) -> Path:
    shelf = tmp_path / "shelf"
    (shelf / "in").mkdir(parents=True)
    (shelf / "empty").mkdir()
    (tmp_path / "secret").write_text("secret")
    (shelf / "in" / "a.model").write_bytes(b"a")
    (shelf / "in" / "b.model").write_bytes(b"b")
    (shelf / "in" / "notes.txt").write_bytes(b"n")
    (shelf / "link").symlink_to(tmp_path / "secret")
    (shelf / "linked-folder").symlink_to(tmp_path)
    os.mkfifo(shelf / "pipe")
    settings.MODEL_STORES = {"shelf": shelf}
    return shelf


@pytest.mark.parametrize("uri", OUTSIDE)
def test_an_address_outside_the_stores_is_refused(uri: str) -> None:
    with pytest.raises(ArtifactNotUsableError) as caught:
        read_artifacts(uri)
    assert caught.value.faults[0].field == "artifact_uri"


def test_a_file_and_a_folder_of_a_store_are_read() -> None:
    assert read_artifacts("store://shelf/in/b.model") == [b"b"]
    assert read_artifacts("store://shelf/in/") == [b"a", b"b"]


def test_a_store_may_itself_be_reached_by_a_link(
    shelf: Path, settings: LazySettings
) -> None:
    linked = shelf.parent / "linked-shelf"
    linked.symlink_to(shelf)
    settings.MODEL_STORES = {"shelf": linked}
    assert read_artifacts("store://shelf/in/a.model") == [b"a"]


def test_a_folder_with_too_many_files_is_refused(shelf: Path) -> None:
    for number in range(21):
        (shelf / "empty" / f"{number}.model").touch()
    with pytest.raises(ArtifactNotUsableError, match="21 files"):
        read_artifacts("store://shelf/empty/")
