"""Makes clients that guess passwords wait, at no cost of password hashes meanwhile.

django-axes counts failed logins in the default database, so it does without Redis. An
account and an address that fail too often may try again after a while; sessions that
are open already are not touched.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from perf.limits.callers import configured_callers
from riskplatform.env import env_int


def axes_settings(*, wait_s: int) -> dict[str, Any]:
    """Give the settings of django-axes, as it reads them."""
    module = "riskplatform.login_throttling"
    return {
        "AXES_FAILURE_LIMIT": env_int("LOGIN_MAX_FAILURES", 10, minimum=1),
        "AXES_COOLOFF_TIME": timedelta(seconds=wait_s),
        "AXES_LOCKOUT_PARAMETERS": ["ip_address", "username"],
        "AXES_RESET_ON_SUCCESS": True,
        # Otherwise a client that goes on guessing keeps the owner out for good.
        "AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT": False,
        "AXES_CLIENT_IP_CALLABLE": f"{module}.client_address",
        "AXES_LOCKOUT_CALLABLE": f"{module}.locked_out",
        "AXES_ENABLE_ADMIN": False,
        "AXES_DISABLE_ACCESS_LOG": True,
        "AXES_VERBOSE": False,
    }


def client_address(request: HttpRequest) -> str:
    """Give the address that rate limits go by, too."""
    return configured_callers().address(request.META)


def locked_out(
    _request: HttpRequest, _response: HttpResponse | None, _credentials: Any
) -> HttpResponse:
    wait_s = settings.LOGIN_WAIT_S
    return HttpResponse(
        f"Too many failed logins. Try again in {wait_s} seconds.\n",
        status=429,
        content_type="text/plain; charset=utf-8",
        headers={"Retry-After": str(wait_s), "Cache-Control": "no-store"},
    )
