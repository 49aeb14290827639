"""riskplatform: calibrated risk forecasts per grid cell."""

__version__ = "0.1.0"
