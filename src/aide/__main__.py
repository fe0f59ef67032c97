"""`python -m aide`."""

from aide.cli.main import main

main()
