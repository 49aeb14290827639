"""The class of a request: limits, deadlines and metrics go by it."""

from collections.abc import Mapping

from django.conf import settings

DEFAULT = "default"
# Probes: they are neither limited nor made to wait.
HEALTH = "health"


class RouteClasses:
    """Finds the class by the beginning of the path; the first that fits counts.

    After a `*` stands how the path ends.
    """

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self._patterns = tuple(
            (*pattern.partition("*")[::2], route_class)
            for pattern, route_class in patterns.items()
        )

    def of(self, path: str) -> str:
        for beginning, end, route_class in self._patterns:
            if path.startswith(beginning) and path.endswith(end):
                return route_class
        return DEFAULT


def configured_routes() -> RouteClasses:
    return RouteClasses(settings.ROUTE_CLASSES)
