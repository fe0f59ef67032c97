"""Settings: what was typed, where each value came from, and the complete frozen `RunSpec` that the core gets."""
