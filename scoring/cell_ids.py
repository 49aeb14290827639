"""H3 indexes as they go out."""


def hex_of(cell: int) -> str:
    return f"{cell:x}"
