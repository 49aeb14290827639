"""Arrow, which only Parquet and zstd need: found when asked for, or named as absent."""

from importlib import import_module
from typing import Any

from analytics.errors import MissingExtraError


def load_arrow(module: str, *, purpose: str) -> Any:
    """Import a module of pyarrow; the web processes never do."""
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtraError(
            f"{purpose} needs pyarrow, which is not installed."
            " Install it with pip install 'riskplatform[arrow]'.",
            extra="arrow",
        ) from None
