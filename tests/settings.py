"""Settings of the test run: the product's own, made quick where it does not matter."""

from riskplatform.settings import *  # noqa: F403 - the one star import of the repository

SECRET_KEY = "test-only"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Tests log in as they like, and ask as often; those about limits set them.
AXES_ENABLED = False
RATE_LIMITS = {}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# Threads outlive a test, their connections must not outlive its database.
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405 - from the settings above
