"""Attribute-guided multi-hop data expansion: ten examples of a task become thousands."""

__version__ = "0.1.0"
