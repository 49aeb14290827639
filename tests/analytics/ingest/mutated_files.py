"""Small files of events as they get damaged, or written by other hands."""

import gzip
import io
import json
import random
from collections.abc import Callable, Sequence
from importlib import import_module

from analytics.ingest.files import FileFormat

TIMES = (
    *("2023-05-01T00:00:00Z", "2023-05-01", "01/05/2023 11:30 PM", "1683000000000"),
    *("2023-5-1 7:08:60", "", "NA", "20230501", "28-APR-50 14:45:00", "\u0662\u0660"),
    *("2023-05-01T24:00:00+14:00", "9999-12-31T23:59:60Z", "0000-00-00", "45292.5"),
)
NUMBERS = (
    *("38.1", "-87.6", "0", "201.7", "1e400", "nan", "-999", "38,1", "1.234,5", "1_0"),
    *(
        "",
        "NULL",
        "north",
        "4500000",
        "1" * 400,
        "\u0663\u0668",
        "+.5",
        "0x1F",
        "1,250,000",
    ),
)
TEXTS = (
    *("a", "", "b,c", 'say "so"', "é", "\0", "x" * 300, "=1+1", "'=1", "1.0", "-"),
    *("{}", '{"k": 1}', "[1]", "line\nbreak", " ", "\ufeff", "\ud7ff", "\x1e"),
)
ENCODINGS = ("utf-8", "utf-8", "utf-8", "latin-1", "utf-16", "utf-8-sig")
FRAGMENTS = (
    *(b'"', b",", b";", b"\n", b"\r", b"\0", b"\xff", b"\\", b"{", b"}", b"[", b"]"),
    *(b"sep=;\n", b"#", b"\x1e", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"null", b"1e999"),
)
Row = tuple[str, str, str, str, str]
NAMES = ("time", "lat", "lon", "mag", "id")


def mutated_file(number: int) -> tuple[bytes, FileFormat]:
    """Give the content of a file and its format; the same for the same number."""
    dice = random.Random(number)  # noqa: S311  # damage, not a secret
    file_format, write = dice.choice(WRITERS)
    rows = [_row(dice) for _ in range(dice.randrange(6))]
    return packed(write(rows, dice), dice), file_format


def _row(dice: random.Random) -> Row:
    if dice.random() < 0.5:
        return "2023-05-01T00:00:00Z", "38.1", "142.1", "4.4", f"e{dice.random()}"
    number, text = dice.choice, dice.choice
    return number(TIMES), number(NUMBERS), number(NUMBERS), number(NUMBERS), text(TEXTS)


def damaged(content: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(content) + 1)
    end = min(start + dice.choice((0, 0, 1, 1, 3, 40)), len(content))
    kept = dice.choice((b"", dice.choice(FRAGMENTS), content[start:end] * 2))
    return content[:start] + kept + content[end:]


def packed(content: bytes, dice: random.Random) -> bytes:
    """Damage a content some times, and pack one in ten."""
    for _ in range(dice.choice((0, 0, 1, 1, 2, 5))):
        content = damaged(content, dice)
    if dice.random() < 0.1:
        whole = gzip.compress(content)
        content = whole if dice.random() < 0.5 else damaged(whole, dice)
    return content


def _csv(rows: list[Row], dice: random.Random) -> bytes:
    return write_csv([NAMES, *rows], dice)


def write_csv(rows: Sequence[Sequence[str]], dice: random.Random) -> bytes:
    """Write rows, the header first, in a dialect and an encoding of some kind."""
    delimiter = dice.choice(",,,;\t|")
    quote = dice.choice(("always", "never", "needed"))

    def cell(text: str) -> str:
        is_odd = any(mark in text for mark in f'{delimiter}"\n')
        if quote == "always" or (quote == "needed" and is_odd):
            return '"' + text.replace('"', '""') + '"'
        return text

    end = dice.choice(("\n", "\r\n"))
    lines = [delimiter.join(map(cell, row)) for row in rows]
    encoding = dice.choice(ENCODINGS)
    return end.join(lines).encode(encoding, "replace")


def _objects(rows: list[Row]) -> list[dict[str, object]]:
    return [dict(zip(NAMES, map(_typed, row), strict=True)) for row in rows]


def _typed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _features(rows: list[Row]) -> list[dict[str, object]]:
    return [
        {
            "type": "Feature",
            "id": it["id"],
            "properties": it,
            "geometry": {"type": "Point", "coordinates": [it["lon"], it["lat"]]},
        }
        for it in _objects(rows)
    ]


def _ndjson(rows: list[Row], dice: random.Random) -> bytes:
    objects = dice.choice((_objects, _features))(rows)
    return "\n".join(json.dumps(it) for it in objects).encode()


def _json(rows: list[Row], dice: random.Random) -> bytes:
    features = _features(rows)
    esri = [{"attributes": it["properties"], "geometry": it} for it in features]
    document = dice.choice(
        [
            features,
            _objects(rows),
            {"type": "FeatureCollection", "features": features},
            {"features": esri, "spatialReference": {"wkid": 4326}},
        ]
    )
    return json.dumps(document, indent=dice.choice((None, 1))).encode()


def _parquet(rows: list[Row], dice: random.Random) -> bytes:
    # Without the extra there is nothing to damage but a file that is not read.
    try:
        pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        return b"PAR1"
    columns = {
        name: [row[index].encode("utf-8", "replace").decode() for row in rows]
        for index, name in enumerate(NAMES)
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression=dice.choice(("none", "zstd")))
    return sink.getvalue()


Write = Callable[[list[Row], random.Random], bytes]
WRITERS: tuple[tuple[FileFormat, Write], ...] = (
    (FileFormat.CSV, _csv),
    (FileFormat.CSV, _csv),
    (FileFormat.NDJSON, _ndjson),
    (FileFormat.GEOJSON, _json),
    (FileFormat.PARQUET, _parquet),
)
