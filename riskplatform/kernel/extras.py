"""Imports libraries that only some inputs need, and says how to install them."""

from importlib import import_module
from typing import Any

from riskplatform.kernel.errors import InvalidInputError


class MissingExtraError(InvalidInputError):
    code = "missing_extra"
    title = "A part of the platform is not installed"


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
