"""How long a computed value is cached, and when it is computed again."""

import math
import random
from typing import Final

MODEL_PREDICTION_TTL_S: Final = 3_600
QUERY_RESULT_TTL_S: Final = 1_800
DASHBOARD_TTL_S: Final = 300
JITTER: Final = 0.1
# So many computations before the end no draw is made: one in e^10 would win.
FAR_FROM_THE_END: Final = 10.0


def jittered(ttl_s: float) -> float:
    """Shorten a lifetime by up to a tenth, so that what began at once ends apart."""
    return ttl_s * (1.0 - JITTER * random.random())  # noqa: S311 - spreads load


def is_due(left_s: float, cost_s: float) -> bool:
    """Draw whether to compute again a little before the end, as XFetch does.

    The nearer the end and the dearer the computation, the likelier: so one of many
    callers does it before the end, and none has to wait at it (Vattani and others,
    2015, Optimal probabilistic cache stampede prevention).
    """
    if left_s > FAR_FROM_THE_END * cost_s:
        return False
    draw = 1.0 - random.random()  # noqa: S311 - spreads load
    return -math.log(draw) * cost_s >= left_s
