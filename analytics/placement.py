"""Which region an event belongs to; who knows the regions registers a directory."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from analytics.grid import RegionGrid

if TYPE_CHECKING:
    # A directory is registered before there are models.
    from riskplatform.api.keys.access import OwnedRegion


class RegionDirectory(Protocol):
    """Knows the regions there are.

    What lies in a region is read often and may be seconds late; its owner, never.
    """

    def find(self, slug: str) -> RegionGrid | None: ...

    def find_ownership(self, slug: str) -> "OwnedRegion | None": ...

    def place(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> Sequence[str | None]:
        """Name the region that holds each place, or none."""


_registered: list[RegionDirectory] = []


def register_directory(directory: RegionDirectory) -> None:
    """Make this the directory of the process; the last one registered counts."""
    _registered.append(directory)


def get_directory() -> RegionDirectory:
    return _registered[-1]


@contextmanager
def using_directory(directory: RegionDirectory) -> Generator[None]:
    """Use this directory inside the block, in all threads of the process."""
    _registered.append(directory)
    try:
        yield
    finally:
        _registered.remove(directory)
