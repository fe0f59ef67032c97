"""Pure functions over text: words, folding, length, shingles, similarity, durations, prompt tags."""
