"""Entry point of the web process (Granian)."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
os.environ["RISKPLATFORM_PROCESS"] = "web"

application = get_wsgi_application()
# What is loaded stays; the collector need not look at it again and again.
gc.collect()
gc.freeze()
