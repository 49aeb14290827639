"""Forecasts: computed, published, written to the ledger, and scored.

A new forecast is triggered by one of three:

- `forecasts.publishing.renew_forecasts`, for the present, from the periodic job of the
  worker;
- `registry.fitting.fit_model`, after a fit, from a command, a job or the admin;
- `registry.promotion.make_champion`, for a version that lags behind what is served.

All of them end in `forecasts.publishing.publish_forecast`. The registry imports this
room, never the other way.
"""
