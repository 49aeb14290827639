"""Entry point of the web process (Granian): the edge cache around Django."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
django_application = get_wsgi_application()

# Its parts need the apps, which are there only now.
from perf.cache.assembly import with_edge_cache  # noqa: E402

application = with_edge_cache(django_application)
# What is loaded stays; the collector need not look at it again and again.
gc.collect()
gc.freeze()
