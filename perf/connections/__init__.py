"""Connections that outlive a request: kept, counted, replaced, and never too many."""
