"""Entry point of the web process (Granian)."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
django_application = get_wsgi_application()

# What stands around Django reads its settings.
from perf.limits.admission import Admission  # noqa: E402
from perf.limits.rates import RateLimits  # noqa: E402
from riskplatform.api.draining import Draining, listen_for_drain  # noqa: E402

# Limits first: what goes beyond them costs nothing more.
application = Draining(RateLimits(Admission(django_application)))
listen_for_drain()
# What is loaded stays; the collector need not look at it again and again.
gc.collect()
gc.freeze()
