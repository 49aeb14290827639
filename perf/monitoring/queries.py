"""Pieces of PromQL that panels have in common."""

from perf.monitoring.described import Query


def rate(metric: str, *by: str, matching: str = "") -> Query:
    """Events a second, by labels."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by) or metric
    return Query(f"{_sum(by)}(rate({_series(metric, matching)}[5m]))", legend)


def level(metric: str, *by: str, matching: str = "") -> Query:
    """Give a gauge as it is, summed up over other labels."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by) or metric
    return Query(f"{_sum(by)}({_series(metric, matching)})", legend)


def quantile(share: float, histogram: str, *by: str, matching: str = "") -> Query:
    """Estimate a quantile of a histogram, by labels."""
    buckets = _series(f"{histogram}_bucket", matching)
    expr = f"histogram_quantile({share:g}, {_sum(('le', *by))}(rate({buckets}[5m])))"
    labels = " ".join(f"{{{{{label}}}}}" for label in by)
    return Query(expr, f"p{100 * share:g} {labels}".strip())


def quantiles(histogram: str, *by: str, matching: str = "") -> tuple[Query, ...]:
    return tuple(
        quantile(share, histogram, *by, matching=matching)
        for share in (0.5, 0.95, 0.99)
    )


def _series(metric: str, matching: str) -> str:
    return f"{metric}{{{matching}}}" if matching else metric


def _sum(by: tuple[str, ...]) -> str:
    return f"sum by ({', '.join(by)}) " if by else "sum"
