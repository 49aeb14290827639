"""Caches: whole responses, values, fitted models."""
