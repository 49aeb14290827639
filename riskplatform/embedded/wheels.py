"""Where the wheels of the extra `embedded` keep their programs."""

import importlib.util
from pathlib import Path

from riskplatform.embedded.errors import EmbeddedServerError


def wheel_folder(package: str) -> Path:
    """Locate an installed package without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(
            f"The package {package} is not installed. Run `make setup`, or set the "
            "URL of a server of your own.",
            package=package,
        )
    return Path(spec.submodule_search_locations[0])


def find_program(package: str, pattern: str) -> Path:
    """Return the newest file of a package that matches a glob pattern."""
    found = sorted(wheel_folder(package).glob(pattern))
    if not found:
        raise EmbeddedServerError(
            f"The package {package} holds no {pattern} for this machine. Set the URL "
            "of a server of your own.",
            package=package,
        )
    return found[-1]
