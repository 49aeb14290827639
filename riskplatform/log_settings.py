"""The logging of every process, as Django's `LOGGING` takes it."""

from typing import Any

LINE = "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"
LINES = "riskplatform.api.log_lines"


def logging_config(*, level: str) -> dict[str, Any]:
    """Log to the standard error from `level` on, each line with its request's id.

    What repeats is folded, so that a flood of requests is no flood of lines.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": f"{LINES}.RequestIdFilter"},
            "recorded": {"()": f"{LINES}.RecordedFilter"},
        },
        "formatters": {"line": {"()": f"{LINES}.LineFormatter", "format": LINE}},
        "handlers": {
            "stderr": {
                "class": "riskplatform.kernel.log_folding.FoldingHandler",
                "formatter": "line",
                "filters": ["request_id"],
            }
        },
        "loggers": {"django.request": {"filters": ["recorded"]}},
        "root": {"handlers": ["stderr"], "level": level},
    }
