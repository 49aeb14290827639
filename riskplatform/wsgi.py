"""Entry point of the web process (Granian): limits and the edge cache around Django."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
os.environ["RISKPLATFORM_PROCESS"] = "web"
django_application = get_wsgi_application()

# What stands around Django needs its settings and apps, which are there only now.
from perf.batched_metrics import pending  # noqa: E402
from perf.cache.edge.app import with_edge_cache  # noqa: E402
from perf.limits.buffering import Buffering  # noqa: E402
from perf.limits.dispatching import Dispatching  # noqa: E402
from perf.limits.rates import RateLimits  # noqa: E402
from riskplatform.api.draining import Draining, listen_for_drain  # noqa: E402
from riskplatform.api.error_boundary import ErrorBoundary  # noqa: E402
from riskplatform.api.structured_log import log_start  # noqa: E402
from riskplatform.kernel.heartbeat import heartbeat  # noqa: E402

# Limits first: what goes beyond them costs nothing more. Bodies next, so that no thread
# waits for one further in. Threads of our own are for what is not cached: a cached
# response is sent at once.
cached = with_edge_cache(django_application)
dispatching = Dispatching(
    # Once more, for what breaks in a thread of our own.
    ErrorBoundary(cached),
    at_hand=getattr(cached, "at_hand", None),
)
application = ErrorBoundary(Draining(RateLimits(Buffering(dispatching))))
listen_for_drain()
heartbeat.start()
pending.start()
# What is loaded stays; the collector need not look at it again and again.
log_start("web")
gc.collect()
gc.freeze()
