"""H3 indexes as they come in (integers or hex) and go out."""

from analytics.grid import read_cell
from riskplatform.kernel.errors import Field, InvalidInputError


def parse_cell_id(value: int | str, *, field: Field = ()) -> int:
    """Read a 64-bit integer or its digits as text, and refuse what is no H3 cell.

    `field` says where in the input the value stands.
    """
    cell = read_cell(value)
    if cell is None:
        raise InvalidInputError(f"{str(value)[:40]!r} is not an H3 cell.", field=field)
    return cell


def hex_of(cell: int) -> str:
    return f"{cell:x}"
