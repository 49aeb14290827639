"""All settings, read from the environment; the profile decides what must be set."""

import os
from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF

from riskplatform import request_limits, server_urls
from riskplatform.api.openapi_texts import INTRODUCTION
from riskplatform.connection_policy import read_policy
from riskplatform.env import (
    env_bool,
    env_choice,
    env_folders,
    env_int,
    env_list,
    env_pairs,
    env_secret,
    env_str,
)
from riskplatform.log_settings import FORMATS, LEVELS, logging_config
from riskplatform.login_throttling import axes_settings
from riskplatform.secret_key import stored_secret_key

django_stubs_ext.monkeypatch()

# Core
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env_str("RISKPLATFORM_VAR", str(BASE_DIR / "var"))).resolve()
PROFILE = env_choice(
    "RISKPLATFORM_PROFILE", "embedded", frozenset({"embedded", "production"})
)
EMBEDDED = PROFILE == "embedded"
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]

SECRET_KEY = env_secret("SECRET_KEY") or (
    stored_secret_key(VAR_DIR) if EMBEDDED else env_str("SECRET_KEY")
)
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
DEBUG = env_bool("DEBUG", default=False)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", LOOPBACK if EMBEDDED else None)
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
ROOT_URLCONF = "riskplatform.urls"
WSGI_APPLICATION = "riskplatform.wsgi.application"
ASGI_APPLICATION = "riskplatform.asgi.application"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = env_int("MAX_BODY_BYTES", 2_621_440, minimum=1)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000

# Apps
INSTALLED_APPS = [
    # First, because its runserver (daphne's) stands before the others.
    "riskplatform",
    # Staff pages are found by the URLs; most commands need none of them.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "clickhouse_backend",
    "csp",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "riskplatform.api.keys",
    "riskplatform.api.idempotency",
    "perf",
    "analytics",
    "scoring",
]
MIDDLEWARE = [
    "riskplatform.api.request_id.RequestIdMiddleware",
    "riskplatform.api.cache_headers.CacheHeadersMiddleware",
    "perf.connections.retrying.RetryMiddleware",
    "perf.limits.request_deadlines.DeadlineMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "riskplatform.api.browser_middleware.Files",
    "riskplatform.api.browser_middleware.ContentPolicy",
    "riskplatform.api.compression.Compression",
    "django.middleware.http.ConditionalGetMiddleware",
    "riskplatform.api.browser_middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "riskplatform.api.browser_middleware.Users",
    "riskplatform.api.browser_middleware.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "perf.django_metrics.RequestMetrics",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Optimisations that are switched off (perf.switches), for comparison.
PERFORMANCE_OFF = frozenset(env_list("PERFORMANCE_OFF"))
# Answers that each web process keeps in memory.
EDGE_LOCAL_BYTES = env_int("EDGE_LOCAL_BYTES", 64 << 20, minimum=1)
KEEPS_CONNECTIONS = "connections" not in PERFORMANCE_OFF

# Databases
CONNECTION_POLICY = read_policy(is_plain=not KEEPS_CONNECTIONS)
WEB_WORKERS = env_int("WEB_WORKERS", os.cpu_count() or 1, minimum=1)
WEB_THREADS = env_int("WEB_THREADS", 8, minimum=1)
DATABASE_OTHER_CONNECTIONS = env_int("DATABASE_OTHER_CONNECTIONS", 12)
DATABASES = server_urls.configured_databases(
    VAR_DIR, CONNECTION_POLICY, is_embedded=EMBEDDED
)
CLICKHOUSE_REPLICAS = server_urls.clickhouse_replicas(
    env_secret("CLICKHOUSE_REPLICA_URLS") or ""
)
DATABASES |= CLICKHOUSE_REPLICAS | server_urls.replica_database(CONNECTION_POLICY)
DATABASE_ROUTERS = [
    "analytics.store.routers.ClickHouseRouter",
    "perf.connections.replicas.ReplicaRouter",
]
# A replica answers people's reads, except those of who they are and what they may do.
# Commands and jobs act on what they read, so they read the primary.
DATABASE_REPLICA_APPS = frozenset({"scoring", "analytics"})
DATABASE_REPLICA_LAG_S = env_int("DATABASE_REPLICA_LAG_S", 5)

# Cache and channels
REDIS_URL = server_urls.server_url(
    "REDIS_URL", "redis://127.0.0.1:6379/0", is_embedded=EMBEDDED
)
# The longest wait for a store that hangs.
REDIS_TIMEOUT_S = env_int("REDIS_TIMEOUT_MS", 50, minimum=1) / 1_000
CACHES = {"default": server_urls.redis_cache(REDIS_URL, timeout_s=REDIS_TIMEOUT_S)}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
DJANGO_REDIS_CLOSE_CONNECTION = not KEEPS_CONNECTIONS
CHANNEL_LAYERS = server_urls.channel_layers(REDIS_URL)

# Limits, by class of routes: seconds for a request, requests of a caller.
ROUTE_CLASSES = request_limits.CLASS_OF_PATH
REQUEST_TIMEOUTS = request_limits.request_timeouts(env_pairs("REQUEST_TIMEOUTS"))
RATE_LIMITS = request_limits.configured_rate_limits()
COST_LIMITS = request_limits.cost_limits(env_pairs("COST_LIMITS"))
# How many proxies of ours have added to X-Forwarded-For.
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", 0)
# In each web process: requests at work and those that wait, and how fast bodies come.
WEB_SLOTS = request_limits.slots()
WEB_BODY_GRACE_S = env_int("WEB_BODY_GRACE_S", 5, minimum=1)
WEB_BODY_BYTES_PER_S = env_int("WEB_BODY_BYTES_PER_S", 8_192, minimum=1)

# Sockets and streams of each realtime process: in all, of a key or person, and from
# one address.
REALTIME_MAX_SOCKETS = env_int("REALTIME_MAX_SOCKETS", 10_000, minimum=1)
REALTIME_MAX_PER_PRINCIPAL = env_int("REALTIME_MAX_PER_PRINCIPAL", 100, minimum=1)
REALTIME_MAX_PER_ADDRESS = env_int("REALTIME_MAX_PER_ADDRESS", 200, minimum=1)

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "riskplatform.api.keys.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    # Bodies are decoded by riskplatform.api.inputs, not by DRF.
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["riskplatform.api.renderers.JsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "riskplatform.api.negotiation.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "riskplatform.api.problems.handle_exception",
}
# Ingestion: what one POST may bring, and how much may wait for ClickHouse.
INGEST_MAX_BODY_BYTES = env_int("INGEST_MAX_BODY_BYTES", 1 << 28, minimum=1)
ASSETS_MAX_BODY_BYTES = env_int("ASSETS_MAX_BODY_BYTES", 1 << 26, minimum=1)
# Files brought by a browser; web and worker processes share the folder.
UPLOAD_MAX_BYTES = env_int("UPLOAD_MAX_BYTES", 1 << 28, minimum=1)
UPLOAD_RETENTION_DAYS = env_int("UPLOAD_RETENTION_DAYS", 7, minimum=1)
UPLOADS_DIR = Path(env_str("UPLOADS_DIR", str(VAR_DIR / "uploads")))
# Of the classes of routes whose bodies may be larger than MAX_BODY_BYTES.
LARGE_BODIES = {
    "events": INGEST_MAX_BODY_BYTES,
    "imports": ASSETS_MAX_BODY_BYTES,
    "uploads": UPLOAD_MAX_BYTES + DATA_UPLOAD_MAX_MEMORY_SIZE,
}
INGEST_MAX_UNPACKED_BYTES = env_int("INGEST_MAX_UNPACKED_BYTES", 1 << 30, minimum=1)
INGEST_MAX_ROWS = env_int("INGEST_MAX_ROWS", 2_000_000, minimum=1)
INGEST_MAX_BACKLOG = env_int("INGEST_MAX_BACKLOG", 5_000_000, minimum=1)
INGEST_INBOX_RETENTION_DAYS = env_int("INGEST_INBOX_RETENTION_DAYS", 90, minimum=1)
# Forecasts: how often the worker looks whether new ones are due (0: never), and how
# long after its horizon a forecast is scored, because events arrive late.
FORECAST_REFRESH_S = env_int("FORECAST_REFRESH_S", 300)
FORECAST_EMBARGO_S = env_int("FORECAST_EMBARGO_S", 86_400)
# Where POST /reload-model may read artifacts from: name=folder,name=folder.
MODEL_STORES = env_folders("MODEL_STORES", {"local": VAR_DIR / "models"})
# Webhooks: private addresses are for tests and for receivers beside the platform.
WEBHOOK_ALLOW_PRIVATE = env_bool("WEBHOOK_ALLOW_PRIVATE", default=False)
WEBHOOK_TIMEOUT_S = env_int("WEBHOOK_TIMEOUT_S", 10, minimum=1)
SPECTACULAR_SETTINGS = {
    "TITLE": "riskplatform",
    "DESCRIPTION": INTRODUCTION,
    "SERVERS": [{"url": "/", "description": "This server."}],
    "CONTACT": {"name": "The operators of this server", "url": "/api/docs/"},
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "riskplatform.api.openapi.add_structs",
        "riskplatform.api.openapi.document_problems",
        "riskplatform.api.openapi.allow_either_key",
        "riskplatform.api.openapi_texts.group_operations",
        "riskplatform.api.openapi_texts.describe_parameters",
        "riskplatform.api.openapi_texts.add_examples",
    ],
}

# Security
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_WAIT_S = env_int("LOGIN_WAIT_S", 300, minimum=1)
globals().update(axes_settings(wait_s=LOGIN_WAIT_S))
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
TLS = env_bool("RISKPLATFORM_TLS", default=not EMBEDDED)
SECURE_SSL_REDIRECT = TLS
SECURE_HSTS_SECONDS = 31_536_000 if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = TLS
SECURE_HSTS_PRELOAD = TLS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https")
    if env_bool("BEHIND_TLS_PROXY", default=False)
    else None
)
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TLS
SESSION_COOKIE_NAME = "__Host-sessionid" if TLS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if TLS else "csrftoken"
SESSION_COOKIE_AGE = 8 * 3_600
LOGIN_URL, LOGIN_REDIRECT_URL = "login", "dashboard"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "riskplatform.static_storage.HashedModuleStorage"},
}

# Observability
# Objectives can only be at one of these times; below them is what is cached.
PROMETHEUS_LATENCY_BUCKETS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6),
    *(1, 2.5, 5, 10, 30, 120, float("inf")),
)
# Where the worker reads what all processes counted, for the page of operators.
METRICS_URL = env_str("METRICS_URL", "http://127.0.0.1:8002/metrics")
METRICS_TOKEN = env_secret("METRICS_TOKEN") or ""
LOG_MAX_BYTES = env_int("LOG_MAX_BYTES", 4 << 20, minimum=1 << 16)
LOG_FORMAT = env_choice("LOG_FORMAT", "line" if EMBEDDED else "json", FORMATS)
LOG_LEVEL = env_choice("LOG_LEVEL", "INFO", LEVELS)
LOGGING = logging_config(level=LOG_LEVEL, form=LOG_FORMAT)
# Which computed requests have a line: those that failed or were slow, all, or none.
REQUEST_LOG = env_choice("REQUEST_LOG", "slow", frozenset({"slow", "all", "off"}))
SLOW_REQUEST_MS = env_int("SLOW_REQUEST_MS", 1_000, minimum=1)
