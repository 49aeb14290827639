"""Cached responses, given before Django."""
