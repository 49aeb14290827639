"""What the worker does for idempotent requests."""

from riskplatform.api.idempotency.services import forget_old_answers
from riskplatform.kernel.periodic import register_periodic

register_periodic("forget-old-answers", 600, forget_old_answers)
