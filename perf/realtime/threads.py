"""Runs what asks a database in a thread, several at once."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

Given = ParamSpec("Given")
Result = TypeVar("Result")


async def in_thread(
    function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
) -> Result:
    """Call a function in a thread that gives its connection back to the pool.

    Threads come and go with their event loop, so none keeps a connection.
    """

    def call() -> Result:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return await sync_to_async(call, thread_sensitive=False)()
