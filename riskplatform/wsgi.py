"""Entry point of the web process (Granian)."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from perf.limits.admission import Admission
from perf.limits.rates import RateLimits
from riskplatform.api.draining import Draining, listen_for_drain

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")

# Limits first: what goes beyond them costs nothing more.
application = Draining(RateLimits(Admission(get_wsgi_application())))
listen_for_drain()
# What is loaded stays; the collector need not look at it again and again.
gc.collect()
gc.freeze()
