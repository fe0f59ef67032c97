"""The command line reference says what `--help` says."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_what_help_says_now() -> None:
    written = (DOCS / "cli-reference.md").read_text(encoding="utf-8")
    assert written == runpy.run_path(str(DOCS / "make_cli_reference.py"))["reference"](), (
        "the reference is stale: python docs/make_cli_reference.py writes it anew"
    )
