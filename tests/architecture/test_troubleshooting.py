"""The messages that the page on troubleshooting quotes are those that aide prints."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8").partition("## Exit codes")[0]
MARKS = ("many `", "texts such as `")  # rows of what is seen in records, not in a message


def read_source() -> str:
    """All of the program, with the pieces of a message joined where a line ends inside it."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(texts))


def test_every_quoted_message_is_printed_somewhere() -> None:
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")]
    quotes = [
        quote
        for cell in cells
        if not cell.strip().startswith(MARKS)
        for quote in re.findall("`([^`]+)`", cell)
    ]
    assert len(quotes) > 25
    source = read_source()
    parts = [part.strip(" :;") for quote in quotes for part in quote.split("…")]
    assert [part for part in parts if len(part) > 3 and part not in source] == []
