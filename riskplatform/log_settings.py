"""The logging of every process, as Django's `LOGGING` takes it."""

from typing import Any

LINE = "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"
LINES = "riskplatform.api.log_lines"


LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
OWN = ("riskplatform", "scoring", "analytics", "perf")
FORMATTERS = {"line": f"{LINES}.LineFormatter", "json": f"{LINES}.JsonFormatter"}
FORMATS = frozenset(FORMATTERS)


def logging_config(*, level: str, form: str) -> dict[str, Any]:
    """Log to the standard error from `level` on, each line with its request's id.

    Libraries are heard from WARNING on. What repeats is folded, so that a flood of
    requests is no flood of lines.
    """
    own: dict[str, Any] = {name: {"level": level} for name in OWN}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": f"{LINES}.RequestIdFilter"},
            "recorded": {"()": f"{LINES}.RecordedFilter"},
        },
        "formatters": {"chosen": {"()": FORMATTERS[form], "format": LINE}},
        "handlers": {
            "stderr": {
                "class": "riskplatform.kernel.log_folding.FoldingHandler",
                "formatter": "chosen",
                "filters": ["request_id"],
            }
        },
        "loggers": {"django.request": {"filters": ["recorded"]}, **own},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }
