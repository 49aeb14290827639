"""Puts the parts of the edge cache together, once a process."""

from functools import lru_cache
from typing import Any

from django.conf import settings

from perf.cache.change_feed import Bus
from perf.cache.edge.app import EdgeCache
from perf.cache.edge.computing import Computing
from perf.cache.edge.demand import count_hits
from perf.cache.edge.principals import Callers
from perf.cache.edge.remembered import remembered_values
from perf.cache.edge.routes import Routes, read_routes
from perf.cache.local import LocalEntries
from perf.cache.store import SharedEntries
from perf.cache.tags import Tags
from perf.connections.replicas import note_write
from perf.shared_store import SharedStore, store
from perf.switches import Switch, is_on
from riskplatform.kernel.changes import listen


@lru_cache(maxsize=1)
def cache_bus() -> Bus:
    """Return the bus of this process; it hears nothing until somebody listens."""
    return new_bus(store)


def new_bus(shared_store: SharedStore) -> Bus:
    return Bus(shared_store, SharedEntries(shared_store), Tags())


def hear_changes() -> None:
    """Have what services announce dropped here and elsewhere."""
    if is_on(Switch.EDGE):
        listen(lambda names: cache_bus().announce(names))


def with_edge_cache(app: Any) -> Any:
    """Put the edge cache before an application, unless it is switched off."""
    if not is_on(Switch.EDGE):
        return app
    return build_edge_cache(
        app,
        bus=cache_bus(),
        routes=read_routes(),
        local_bytes=settings.EDGE_LOCAL_BYTES,
    )


def build_edge_cache(
    app: Any, *, bus: Bus, routes: Routes, local_bytes: int
) -> EdgeCache:
    local = LocalEntries(local_bytes)
    bus.tags.attach(local)
    for value in remembered_values():
        bus.tags.attach(value)
    bus.on_heard.append(lambda _names: note_write())
    bus.on_tidy.append(lambda: count_hits(local, bus.store))
    return EdgeCache(
        app,
        routes=routes,
        callers=Callers(bus.tags),
        local=local,
        computing=Computing(app, local=local, shared=bus.shared, tags=bus.tags),
        bus=bus,
    )
