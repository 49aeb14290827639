"""The class of a request: limits, deadlines and metrics go by it."""

from collections.abc import Mapping

from django.conf import settings

DEFAULT = "default"
# Probes: they are neither limited nor made to wait.
HEALTH = "health"


class RouteClasses:
    """Finds the class by the beginning of the path; the first that fits counts."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = tuple(prefixes.items())

    def of(self, path: str) -> str:
        for prefix, route_class in self._prefixes:
            if path.startswith(prefix):
                return route_class
        return DEFAULT


def configured_routes() -> RouteClasses:
    return RouteClasses(settings.ROUTE_CLASSES)
