"""How many queries a page costs, over all databases."""

from contextlib import ExitStack

from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext


def queries_of(client: Client, address: str) -> int:
    """Ask twice: the first answer may find out things that are kept."""
    client.get(address)
    with ExitStack() as stack:
        captured = [
            stack.enter_context(CaptureQueriesContext(connection))
            for connection in connections.all()
        ]
        assert client.get(address).status_code == 200, address
    return sum(map(len, captured))
