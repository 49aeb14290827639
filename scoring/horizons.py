"""How horizons are written."""

DAY_S = 86_400


def horizon_label(horizon_sec: int) -> str:
    if horizon_sec > DAY_S and horizon_sec % DAY_S == 0:
        return f"{horizon_sec // DAY_S} days"
    return f"{horizon_sec / 3_600:g} hours"
