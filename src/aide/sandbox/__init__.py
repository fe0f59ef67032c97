"""Isolation for code that a model wrote."""
