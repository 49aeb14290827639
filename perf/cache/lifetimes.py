"""How long what was computed is kept, by what it is."""

MODEL_PREDICTION_TTL_S = 3_600
QUERY_RESULT_TTL_S = 1_800
DASHBOARD_TTL_S = 300
# That there is nothing is believed for a short time only.
NOTHING_TTL_S = 30
# For so long after its time a value is still given while one thread renews it.
STALE_S = 60
