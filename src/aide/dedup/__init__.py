"""Duplicates and contamination: lexical, semantic, and against test sets."""
