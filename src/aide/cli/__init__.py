"""One module a command; `console` has the exit codes."""
