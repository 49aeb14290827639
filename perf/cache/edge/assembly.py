"""Puts the parts of the edge cache together, once a process."""

from typing import Any

from django.conf import settings

from perf.cache.change_feed import ChangeFeed, feed
from perf.cache.edge.app import EdgeCache
from perf.cache.edge.demand import count_hits
from perf.cache.edge.principals import Principals
from perf.cache.edge.remembered import remembered_values
from perf.cache.edge.response import CachedResponse
from perf.cache.edge.routes import Routes, read_routes
from perf.cache.memory import ByteCache
from perf.switches import Switch, is_on


def with_edge_cache(app: Any) -> Any:
    """Put the edge cache before an application, unless it is switched off."""
    if not is_on(Switch.EDGE):
        return app
    return build_edge_cache(
        app, feed=feed, routes=read_routes(), local_bytes=settings.EDGE_LOCAL_BYTES
    )


def build_edge_cache(
    app: Any, *, feed: ChangeFeed, routes: Routes, local_bytes: int
) -> EdgeCache:
    # One response never drives out most of the others.
    local = ByteCache[CachedResponse](
        "responses", max_bytes=local_bytes, max_value_bytes=local_bytes // 8
    )
    feed.copies.attach(local)
    for value in remembered_values():
        feed.copies.attach(value)
    feed.on_tidy.append(lambda: count_hits(local, feed.store))
    principals = Principals(feed.copies)
    return EdgeCache(app, routes=routes, principals=principals, local=local, feed=feed)
