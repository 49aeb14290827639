"""Fits that tests of commands share."""

from tests.support.shared_fits import fits_are_shared

__all__ = ["fits_are_shared"]
