"""The command line: one module for each command. Exit codes are in `console`."""
