"""H3 indexes as they come in (integers or hex) and go out."""

import h3.api.basic_int as h3

from riskplatform.kernel.errors import InvalidInputError


def parse_cell_id(value: int | str, *, pointer: str = "") -> int:
    """Read a 64-bit integer or hex text; anything that is no H3 cell is refused.

    `pointer` says where in the input the value stands (RFC 6901).
    """
    try:
        cell = int(value, 16) if isinstance(value, str) else value
        is_cell = h3.is_valid_cell(cell)
    except (ValueError, OverflowError):
        is_cell = False
    if not is_cell:
        reason = f"{str(value)[:40]!r} is not an H3 cell."
        raise InvalidInputError(reason, errors=[{"pointer": pointer, "reason": reason}])
    return cell


def hex_of(cell: int) -> str:
    return f"{cell:x}"
