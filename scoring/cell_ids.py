"""H3 indexes as they come in (integers or hex) and go out."""

from analytics.grid import read_cell
from riskplatform.kernel.errors import InvalidInputError


def parse_cell_id(value: int | str, *, pointer: str = "") -> int:
    """Read a 64-bit integer or its digits as text, and refuse what is no H3 cell.

    `pointer` says where in the input the value stands (RFC 6901).
    """
    cell = read_cell(value)
    if cell is None:
        reason = f"{str(value)[:40]!r} is not an H3 cell."
        raise InvalidInputError(reason, errors=[{"pointer": pointer, "reason": reason}])
    return cell


def hex_of(cell: int) -> str:
    return f"{cell:x}"
