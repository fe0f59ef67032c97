"""Is the answer right? Votes, arithmetic, code that runs."""
