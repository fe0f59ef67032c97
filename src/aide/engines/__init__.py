"""Who runs which part of a run."""
