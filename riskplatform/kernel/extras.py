"""Libraries that only some inputs need: installed by whoever has such."""

from importlib import import_module
from typing import Any

from riskplatform.kernel.arrow import MissingExtraError


def load_extra(module: str, *, extra: str, purpose: str) -> Any:
    """Import a module of an extra; no process does so before it needs it.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtraError(
            f"{purpose} needs {module.partition('.')[0]}, which is not installed."
            f" Install it with pip install 'riskplatform[{extra}]'.",
            extra=extra,
        ) from None
