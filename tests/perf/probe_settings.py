"""The product's settings over a few URLs that only ask the database."""

from riskplatform.settings import *  # noqa: F403 - as tests/settings.py does

ROOT_URLCONF = "tests.perf.probe_urls"
