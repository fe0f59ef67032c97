"""The page of recorded records says what a fixed draw from the recordings gives."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_shows_the_records_that_are_drawn_from_the_recordings_now() -> None:
    written = (DOCS / "records.md").read_text(encoding="utf-8")
    assert written == runpy.run_path(str(DOCS / "make_records_page.py"))["make_page"](), (
        "the page is stale: python docs/make_records_page.py writes it anew"
    )
