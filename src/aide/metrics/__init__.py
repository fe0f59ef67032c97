"""Figures about a set of records: diversity, drift."""
