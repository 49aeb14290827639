"""Finds the suites: the kit's own and those of every installed app."""

from importlib import import_module
from pkgutil import iter_modules

from django.utils.module_loading import autodiscover_modules

from perf.bench import suites


def discover_suites() -> None:
    """Import every module that registers suites; repeating it changes nothing."""
    for module in iter_modules(suites.__path__, f"{suites.__name__}."):
        import_module(module.name)
    autodiscover_modules("bench")
