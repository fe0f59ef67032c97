"""JSON lines in, JSON lines out: filter, sample, split, compare, review."""
