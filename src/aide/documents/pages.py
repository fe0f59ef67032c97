"""HTML pages as Markdown: what a reader would read of them, without menus, headers, footers and scripts."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html.parser import HTMLParser
from typing import Final

_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_CODE: Final = frozenset({"script", "style", "noscript", "template", "svg", "math", "iframe", "object"})
_AROUND: Final = frozenset({"nav", "footer", "aside", "button", "select", "dialog"})
_ROLES: Final = frozenset({"navigation", "banner", "contentinfo", "search", "complementary"})
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_BLOCKS: Final = _HEADINGS.keys() | {
    "address", "article", "blockquote", "body", "caption", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "header", "hr", "legend", "li", "main", "ol", "p", "pre", "section", "summary", "table",
    "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul",
}  # fmt: skip
_CELLS: Final = {"td", "th"}
# These end where the next of their kind begins, whether or not they are closed.
_UNCLOSED: Final = {
    "li": {"li"}, "p": {"p"}, "dt": {"dt", "dd"}, "dd": {"dt", "dd"}, "tr": {"tr", "td", "th"},
    "td": {"td", "th"}, "th": {"td", "th"}, "option": {"option"},
}  # fmt: skip
_PERMALINK: Final = frozenset({"¶", "#", "§", "🔗"})
_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)", re.IGNORECASE)
_HEAD: Final = 2048  # bytes within which a page says how it is encoded
# What begins such a part behind the last end of one never ends.
_PARTS: Final = (
    ("<!--", re.compile(r"--\s*!?>")),
    ("<![CDATA[", re.compile(r"\]\s*\]\s*>")),
    ("<![", re.compile(r"\]\s*>")),
    ("<", re.compile(r">")),
)
_BREAK: Final = "\v"  # where `<br>` stood
# So many blocks in a row that hold nothing but links are a menu.
_MENU: Final = 3
_LINKED: Final = 0.8

_Line = tuple[str, bool, bool]
"""A block of Markdown; whether it stands in the page's main part; whether it holds hardly anything but links."""


def find_charset(data: bytes) -> str:
    """The encoding that a page names for itself; empty where it names none."""
    found = _CHARSET.search(data[:_HEAD])
    return found[1].decode("ascii") if found else ""


def read_page(html: str) -> str:
    """The text of a page as Markdown, of its main part where it marks one; empty where a page has no text."""
    html = _escape_endless(html)
    for reader in (_PageReader(_CODE | _AROUND), _PageReader(_CODE)):
        # What the parser can't make out is text, or nothing: a browser shows such a page, too.
        with suppress(AssertionError):
            reader.feed(html)
            reader.close()
        if text := reader.write():
            return text
    return ""  # where a menu is never closed all would be one, so the second reader takes menus for text


def _escape_endless(html: str) -> str:
    """A page in which no tag or comment is without an end; what stands in one is text, as for the parser.

    The parser would search for each such end, to the end of the page.
    """
    for mark, pattern in _PARTS:
        last = max((found.end() for found in pattern.finditer(html)), default=0)
        html = html[:last] + html[last:].replace(mark, f"&lt;{mark[1:]}")
    return html


class _PageReader(HTMLParser):
    """Collects blocks; `skipped` are elements of which nothing is read."""

    def __init__(self, skipped: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._skipped = skipped
        self._open: list[tuple[str, bool]] = []  # the open elements, and whether each hides what it holds
        # Said of the open elements without a look at all of them: a page may leave a hundred thousand open.
        self._counts: Counter[str] = Counter()
        self._blocks: list[str] = []
        self._headings: list[str] = []
        self._hidden = 0
        self._lines: list[_Line] = []
        self._words: list[str] = []
        self._linked = 0  # characters of `_words` that are links
        self._title = ""

    # --- what the parser tells ------------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        while self._open and self._open[-1][0] in _UNCLOSED.get(tag, ()):
            self.handle_endtag(self._open[-1][0])
        if tag in _BLOCKS:
            inside = self._blocks[-1] if self._blocks else ""
            self._flush("" if {tag, inside} & _CELLS else inside)
        if tag == "br":
            self._words.append(_BREAK)
        if tag in _VOID:
            return
        hides = self._hides(tag, {name: value or "" for name, value in attrs})
        self._open.append((tag, hides))
        self._counts[tag] += 1
        if tag in _BLOCKS:
            self._blocks.append(tag)
        if tag in _HEADINGS:
            self._headings.append(tag)
        self._hidden += hides

    def handle_endtag(self, tag: str) -> None:
        if not self._counts[tag]:
            return
        if tag in _BLOCKS:
            self._flush(tag)
        while self._pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._counts["a"]:
            if data.strip() in _PERMALINK:
                return
            self._linked += len(data.strip())
        self._words.append(data)

    # --- blocks ---------------------------------------------------------------------------------------

    def _hides(self, tag: str, given: Mapping[str, str]) -> bool:
        if tag in self._skipped or "hidden" in given or given.get("aria-hidden") == "true":
            return True
        # The header of an article has its title, that of a page its menu.
        return self._skipped >= _AROUND and (
            given.get("role") in _ROLES or (tag == "header" and not self._in_main)
        )

    def _pop(self) -> str:
        tag, hides = self._open.pop()
        self._hidden -= hides
        self._counts[tag] -= 1
        if tag in _BLOCKS:
            self._blocks.pop()
        if tag in _HEADINGS:
            self._headings.pop()
        return tag

    @property
    def _in_main(self) -> bool:
        return bool(self._counts["main"] or self._counts["article"])

    def _flush(self, tag: str) -> None:
        """End the block under way; `tag` is the element that it stands in."""
        if tag in _CELLS:
            self._words.append(" | ")
            return
        if self._counts["tr"] and tag not in ("tr", "table"):  # a cell may hold blocks; its row is one line
            self._words.append(" ")
            return
        whole, linked = "".join(self._words), self._linked
        self._words, self._linked = [], 0
        text = whole.replace(_BREAK, "\n").strip("\n") if self._counts["pre"] else _fold(whole)
        if not text.strip():
            return
        if tag == "title":
            self._title = self._title or text
            return
        links = linked > _LINKED * len("".join(text.split()))
        self._lines.append((self._mark(text, tag), self._in_main, links))

    def _mark(self, text: str, tag: str) -> str:
        """A block as Markdown writes it."""
        if self._counts["pre"]:
            return f"```\n{text}\n```"
        heading = tag if tag in _HEADINGS else self._headings[-1] if self._headings else ""
        if heading:
            return f"{'#' * _HEADINGS[heading]} {' '.join(text.split())}"
        if self._counts["tr"] or tag == "tr":
            return f"| {' '.join(text.split()).removesuffix('|').strip()} |"
        if self._counts["li"]:
            return f"- {text}"
        # What Markdown would read as a heading or a rule is text here.
        return f"\\{text}" if text.startswith(("#", "---", "===")) else text

    def write(self) -> str:
        """All blocks, those of the main part alone where there is one."""
        while self._counts[
            "tr"
        ]:  # of a page that was cut off in a table: what its last row holds is text, too
            self.handle_endtag("tr")
        self._flush("")
        lines = [line for line in self._lines if line[1]] or self._lines
        texts = [line[0] for line in _drop_menus(lines)]
        if texts and self._title and not any(text.startswith("# ") for text in texts):
            texts.insert(0, f"# {self._title}")
        return _join(texts)


def _drop_menus(lines: Sequence[_Line]) -> list[_Line]:
    kept: list[_Line] = []
    run: list[_Line] = []
    for line in (*lines, ("", True, False)):
        if line[2]:
            run.append(line)
            continue
        kept += run if len(run) < _MENU else []
        run = []
        kept.append(line)
    return kept[:-1]


def _fold(text: str) -> str:
    """Line breaks of the source are spaces; those of `<br>` stay."""
    lines = (" ".join(line.split()) for line in text.replace("\n", " ").split(_BREAK))
    return "\n".join(line for line in lines if line)


def _join(texts: Sequence[str]) -> str:
    """Items of a list and rows of a table one below the other, all else with a blank line between."""
    pieces: list[str] = []
    for place, text in enumerate(texts):
        before = texts[place - 1] if place else ""
        close = any(text.startswith(mark) and before.startswith(mark) for mark in ("- ", "| "))
        pieces.append(("" if not place else "\n" if close else "\n\n") + text)
        if text.startswith("| ") and not close:  # the first row of a table is its header
            pieces.append(f"\n|{' --- |' * (text.count(' | ') + 1)}")
    return "".join(pieces)
