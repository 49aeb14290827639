"""What users would write themselves: FastAPI services with the forecast in memory."""
