"""Every page of the documentation is on the site and in its list of pages, once; every picture is small and shown."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def test_the_site_has_each_page_once() -> None:
    nav = (DOCS / "site" / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    assert sorted(re.findall(r"[\w/-]+\.md", nav)) == PAGES


def test_the_list_of_pages_links_each() -> None:
    links = re.findall(r"\]\(([^)#]+\.md)", (DOCS / "README.md").read_text(encoding="utf-8"))
    assert sorted({*links, "README.md"}) == PAGES


def test_every_picture_is_shown_small_and_loads_nothing() -> None:
    pictures = sorted((DOCS / "pictures").iterdir())
    shown = "".join(
        page.read_text(encoding="utf-8") for page in [DOCS.parent / "README.md", *DOCS.rglob("*.md")]
    )
    assert [path.name for path in pictures if f"pictures/{path.name})" not in shown] == []
    assert [path.name for path in pictures if path.stat().st_size > 150_000] == []
    drawn = [path for path in pictures if path.suffix == ".svg"]
    assert [path.name for path in drawn if re.search(r"(?:href|src|url)\W+https?:", path.read_text())] == []
