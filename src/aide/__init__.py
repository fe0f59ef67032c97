"""Attribute-guided multi-hop data expansion: ten examples of a task become thousands."""

__version__ = "0.1.0"
"""The one place: pyproject.toml reads it from here, so that `aide --help` needs no look at installed packages."""
