"""Markdown and plain text as a flat list of blocks with their headings' levels, by markdown-it (CommonMark)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

BlockKind = Literal["heading", "prose", "list", "lines"]
"""`prose` has sentences over several lines, a `list` has items, of `lines` (code, tables) each stands for itself."""

_FRONT_MATTER: Final = re.compile(r"\A---\n(?:.*\n)*?---[ \t]*(?:\n|\Z)")
_TITLE: Final = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"\A<!--.*?-->\s*\Z", re.DOTALL)
_KINDS: Final[dict[str, BlockKind]] = {
    "paragraph_open": "prose", "blockquote_open": "prose", "heading_open": "heading", "bullet_list_open": "list",
    "ordered_list_open": "list", "fence": "lines", "code_block": "lines", "table_open": "lines", "html_block": "lines",
}  # fmt: skip
# What makes a text more than paragraphs; without it the parser, which takes a second for a megabyte, is not needed.
_MARKED: Final = re.compile(
    r"^ {0,3}(?:#{1,6}[ \t]|```|~~~|\||=+[ \t]*$|-+[ \t]*$|[-*+][ \t]|\d{1,9}[.)][ \t]|[<>])", re.MULTILINE
)
_GAP: Final = re.compile(r"\n(?:[ \t]*\n)+")
_MARKUP: Final = re.compile(r"[*_`]+|!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list, a table, a piece of code or a heading: `text[start:end]` of its document."""

    start: int
    end: int
    kind: BlockKind
    level: int = 0
    """Of a heading 1 to 6, else 0."""
    title: str = ""
    """Of a heading its words."""


def find_blocks(text: str) -> Iterator[Block]:
    """The blocks of a text in their order. `text` has plain newlines.

    Front matter and comments are none; a title in front matter comes as an empty heading of level 1.
    """
    skipped = 0
    if front := _FRONT_MATTER.match(text):
        skipped = front.end()
        if said := _TITLE.search(front[0]):
            yield Block(skipped, skipped, "heading", 1, said[1].strip(" \t\"'"))
    if not _MARKED.search(text, skipped):
        yield from _find_paragraphs(text, skipped)
        return
    body = text[skipped:]
    starts = [skipped, *accumulate((len(line) + 1 for line in body.split("\n")), initial=skipped)][1:]
    tokens = _load_parser().parse(body)
    for place, token in enumerate(tokens):
        kind = _KINDS.get(token.type)
        if token.level or token.map is None or kind is None:
            continue
        start, end = starts[token.map[0]], min(starts[token.map[1]], len(text))
        end = start + len(text[start:end].rstrip())
        if end <= start or (token.type == "html_block" and _COMMENT.match(text[start:end])):
            continue
        if kind == "heading":
            title = " ".join(_MARKUP.sub(r"\1", tokens[place + 1].content).split())
            yield Block(start, end, kind, int(token.tag[1]), title)
        else:
            yield Block(start, end, kind)


def _find_paragraphs(text: str, start: int) -> Iterator[Block]:
    for gap in (*_GAP.finditer(text, start), None):
        end = gap.start() if gap else len(text)
        if text[start:end].strip():
            yield Block(start, end, "prose")
        start = gap.end() if gap else end


@cache
def _load_parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # What stands inside a line says nothing of where blocks are.
    return MarkdownIt("commonmark").enable("table").disable("inline")
