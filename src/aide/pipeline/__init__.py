"""The wiring of one run: folder, preparation, forest, loop, counts."""
