"""Arrow, which only Parquet, zstd and Arrow streams need: heavy, and optional."""

from typing import Any

from riskplatform.kernel.extras import load_extra


def load_arrow(module: str = "pyarrow", *, purpose: str) -> Any:
    """Import a module of pyarrow; no process does so before it needs it.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    return load_extra(module, extra="arrow", purpose=purpose)
