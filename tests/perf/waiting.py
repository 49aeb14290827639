"""The way of all tests to wait, under the name that tests of caches import."""

from tests.support.waiting import wait_until

__all__ = ["wait_until"]
