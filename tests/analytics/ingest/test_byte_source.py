"""Bytes of files, plain, packed and broken."""

import gzip
import zlib
from pathlib import Path

import pytest

from analytics.errors import EventFileError
from analytics.ingest.byte_source import ByteSource
from analytics.ingest.rules import RowCode

CONTENT = b"".join(b"%d,some text\n" % number for number in range(50_000))


def read(path: Path, content: bytes) -> tuple[bytes, RowCode | None]:
    path.write_bytes(content)
    with ByteSource(path) as source:
        found = b"".join(source)
        return found, source.fault.code if source.fault else None


@pytest.mark.parametrize(
    "packed",
    [
        CONTENT,
        gzip.compress(CONTENT, mtime=0),
        gzip.compress(CONTENT[:77_777], mtime=0)
        + gzip.compress(CONTENT[77_777:], mtime=0),
        gzip.compress(CONTENT[:77_777], mtime=0)
        + bytes(9)
        + gzip.compress(CONTENT[77_777:], mtime=0),
        gzip.compress(CONTENT, mtime=0) + bytes(512),
    ],
    ids=["plain", "gzip", "two members", "padded members", "padded end"],
)
def test_content_is_read_whole(tmp_path: Path, packed: bytes) -> None:
    assert read(tmp_path / "e.csv", packed) == (CONTENT, None)


@pytest.mark.parametrize("kept_bytes", [20, 5_000, -9, -8, -1])
def test_truncated_gzip_gives_what_came_before(tmp_path: Path, kept_bytes: int) -> None:
    packed = gzip.compress(CONTENT)[:kept_bytes]

    found, code = read(tmp_path / "e.csv.gz", packed)

    assert code == RowCode.TRUNCATED_FILE
    assert found == zlib.decompressobj(wbits=31).decompress(packed)


def test_damaged_gzip_gives_what_came_before(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(CONTENT, compresslevel=1))
    middle = len(packed) // 2
    packed[middle : middle + 64] = b"\xff" * 64

    found, code = read(tmp_path / "e.csv.gz", bytes(packed))

    assert code == RowCode.CORRUPT_FILE
    assert found[: len(CONTENT) // 3] == CONTENT[: len(CONTENT) // 3]


def test_wrong_checksum_is_reported_after_the_last_byte(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(CONTENT))
    packed[-5] ^= 0xFF

    assert read(tmp_path / "e.csv.gz", bytes(packed)) == (
        CONTENT,
        RowCode.CORRUPT_FILE,
    )


def test_what_follows_a_gzip_file_is_reported(tmp_path: Path) -> None:
    assert read(tmp_path / "e.csv.gz", gzip.compress(CONTENT) + b"more") == (
        CONTENT,
        RowCode.CORRUPT_FILE,
    )


def test_small_file_that_unpacks_to_much_comes_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "e.csv.gz"
    path.write_bytes(gzip.compress(bytes(50_000_000)))

    with ByteSource(path) as source:
        assert max(map(len, source)) <= 1 << 20


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (b"PK\x03\x04", "e.csv is a ZIP archive or a spreadsheet; save it as CSV."),
        ("time".encode("utf-16"), "e.csv is UTF-16 text; save it as UTF-8."),
        (
            b"PAR1",
            "e.csv is a Parquet file; import it with --format parquet.",
        ),
    ],
)
def test_other_formats_are_named(tmp_path: Path, start: bytes, reason: str) -> None:
    with pytest.raises(EventFileError) as caught:
        read(tmp_path / "e.csv", start + b"rest")

    assert caught.value.message == reason


def test_missing_file_and_folder_are_told_apart(tmp_path: Path) -> None:
    for path, reason in [
        (tmp_path / "no.csv", "does not exist."),
        (tmp_path, "is a folder, not a file."),
    ]:
        with pytest.raises(EventFileError) as caught:
            ByteSource(path)
        assert caught.value.message == f"{path} {reason}"
