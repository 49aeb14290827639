"""The names by which changes of analytics are published."""


def events_of(region_slug: str) -> str:
    """Name the stored events of a region."""
    return f"events:{region_slug}"
