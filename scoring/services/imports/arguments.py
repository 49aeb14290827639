"""The options of an import, typed at a terminal or in a form, over what is saved."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace, _ArgumentGroup
from collections.abc import Sequence
from typing import NoReturn

from analytics.grid import Bounds
from analytics.ingest.files import FileFormat
from analytics.ingest.presets import PRESETS
from analytics.ingest.reading_options import POINTS, ReadingOptions
from riskplatform.kernel.commands import read_moment
from riskplatform.kernel.errors import InvalidInputError

# Options of a run, which a form or another command sets itself.
USUAL = {
    "dry_run": False,
    "organisation": None,
    "restart": False,
    "save_source": None,
    "update": False,
    "workers": 1,
}


def add_reading(parser: ArgumentParser) -> None:
    reading = parser.add_argument_group("reading the file")
    reading.add_argument(
        "--map",
        help="Fields and their columns: occurred_at=time,lat=Y,lon=X,severity=mag."
        " DATE+TIME are two columns for one field; a.b is nested; GeoJSON and other"
        " geographic files have @lat, @lon and @id beside the properties, and need no"
        " map for the place. Without it the columns and a map are suggested.",
    )
    reading.add_argument(
        "--preset",
        metavar="NAME",
        help=f"Layout of a publisher, which is the source then: {', '.join(PRESETS)}.",
    )
    reading.add_argument(
        "--format",
        help=f"{', '.join(FileFormat)}; by the file's name else.",
    )
    reading.add_argument(
        "--source",
        help="A saved source, or a name; ids are unique within it. Needed where the map"
        " has an external_id; the file's name else.",
    )
    _add_values(parser)
    _add_places(parser)
    add_dialect(parser)


def add_numbers(parser: ArgumentParser | _ArgumentGroup) -> None:
    parser.add_argument("--decimal", metavar="SIGN", help="Decimal sign: . or ,")
    parser.add_argument(
        "--thousands", metavar="SIGN", help="What separates thousands, if anything."
    )


def add_saving(parser: ArgumentParser) -> None:
    saving = parser.add_argument_group("saved sources")
    saving.add_argument(
        "--save-source",
        metavar="NAME",
        help="Save how the file is read under this name, which is the source then.",
    )
    saving.add_argument(
        "--list-sources", action="store_true", help="List the saved sources, and end."
    )


class _WordParser(ArgumentParser):
    """Raises InvalidInputError where a parser of the terminal would exit."""

    def error(self, message: str) -> NoReturn:
        raise InvalidInputError(f"The options cannot be read: {message}.")


def parse_words(words: Sequence[str], given: Namespace | None = None) -> Namespace:
    """Read options of reading that no terminal gave, on top of those `given`.

    Raises
    ------
    InvalidInputError
        A word is no option of reading, or its value is none.
    """
    parser = _WordParser(prog="", add_help=False, allow_abbrev=False)
    add_reading(parser)
    known = {} if given is None else vars(given)
    return parser.parse_args(words, Namespace(**{**USUAL, **known}))


def parse_asset_words(words: Sequence[str]) -> ReadingOptions:
    """Read options of a file of assets, as `import_portfolio` has them.

    Raises
    ------
    InvalidInputError
        A word is no such option, or its value is none.
    """
    parser = _WordParser(prog="", add_help=False, allow_abbrev=False)
    add_numbers(parser)
    add_dialect(parser)
    return ReadingOptions.said(vars(parser.parse_args(words)))


def _add_values(parser: ArgumentParser) -> None:
    values = parser.add_argument_group("times, numbers and blanks")
    values.add_argument(
        "--times-in",
        metavar="ZONE",
        help="Zone of times without an offset; the region's else.",
    )
    values.add_argument(
        "--time-format",
        metavar="FORMAT",
        help="iso, epoch_s, epoch_ms, excel or a format of strptime such as"
        " '%%m/%%d/%%Y %%I:%%M %%p'; alternatives with | between.",
    )
    add_numbers(values)
    values.add_argument(
        "--null",
        dest="nulls",
        type=_items,
        metavar="A,B",
        help="Texts and numbers that mean unknown in any column, such as -999. NA, NULL"
        " and the like always do in times, numbers and ids.",
    )
    values.add_argument(
        "--allow-null-island",
        action="store_true",
        default=None,
        help="Take rows at latitude 0, longitude 0.",
    )
    values.add_argument(
        "--since", type=read_moment, metavar="DATE", help="Leave out what is older."
    )
    values.add_argument(
        "--within",
        type=_box,
        metavar="W,S,E,N",
        help="Leave out what lies outside west, south, east, north in degrees.",
    )


def _add_places(parser: ArgumentParser) -> None:
    values = parser.add_argument_group("geographic files")
    values.add_argument(
        "--point",
        choices=POINTS,
        help="centroid takes lines and areas by their middle; only points else.",
    )
    values.add_argument(
        "--layer", metavar="NAME", help="Layer of a geographic file that has several."
    )


def add_dialect(parser: ArgumentParser) -> None:
    dialect = parser.add_argument_group("CSV")
    dialect.add_argument(
        "--delimiter", type=_character, help="What separates fields; found else."
    )
    dialect.add_argument(
        "--columns",
        type=_items,
        metavar="A,B,C",
        help="Names of the columns of a file without a header.",
    )
    dialect.add_argument(
        "--skip-lines", type=int, metavar="N", help="Lines before the header."
    )
    dialect.add_argument(
        "--comment", metavar="TEXT", help="What lines begin with that are no rows."
    )


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _character(text: str) -> str:
    return {"\\t": "\t", "tab": "\t"}.get(text, text)


def _box(text: str) -> Bounds:
    try:
        return Bounds.read(text, field="--within")
    except InvalidInputError as error:
        raise ArgumentTypeError(error.message) from error
