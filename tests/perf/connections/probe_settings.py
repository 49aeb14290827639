"""The product's settings over a few URLs that only ask the database."""

from riskplatform.settings import *  # noqa: F403 - as tests/settings.py does

# That of the product lets nothing through that reads the database over HTTP.
ASGI_APPLICATION = "riskplatform.asgi.development"
ROOT_URLCONF = "tests.perf.connections.probe_urls"
