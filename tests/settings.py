"""Settings of the test run: the product's own, made quick where it does not matter."""

from riskplatform.settings import *  # noqa: F403 - the one star import of the repository

SECRET_KEY = "test-only"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# A migration of the task queue looks for its table on every database.
MIGRATION_MODULES = {"django_tasks_database": None}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
