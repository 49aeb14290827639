"""Registers the memory of requests that may be repeated."""

from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    name = "riskplatform.api.idempotency"
    label = "idempotency"
    verbose_name = "Idempotent requests"
