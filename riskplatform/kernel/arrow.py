"""Arrow, which only Parquet, zstd and Arrow streams need: heavy, and optional."""

from importlib import import_module
from typing import Any

from riskplatform.kernel.errors import InvalidInputError


class MissingExtraError(InvalidInputError):
    code = "missing_extra"
    title = "A part of the platform is not installed"


def load_arrow(module: str = "pyarrow", *, purpose: str) -> Any:
    """Import a module of pyarrow; no process does so before it needs it.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtraError(
            f"{purpose} needs pyarrow, which is not installed."
            " Install it with pip install 'riskplatform[arrow]'.",
            extra="arrow",
        ) from None
