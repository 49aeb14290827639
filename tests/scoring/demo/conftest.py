"""Models that tests of this folder fit on the same events are fitted once."""

from tests.support.shared_fits import fits_are_shared

__all__ = ["fits_are_shared"]
