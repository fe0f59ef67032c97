"""Tables as Markdown writes them: cells between bars, a rule of dashes below the header."""

import re
from collections.abc import Sequence
from typing import Final

_RULE: Final = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_BAR: Final = re.compile(r"(?<!\\)\|")
_BREAK: Final = re.compile(r"<br ?/?>", re.IGNORECASE)

Line = tuple[int, list[str]]
"""The number of a line, from 1, and its cells."""


def read_markdown(text: str, *, anywhere: bool) -> list[Line]:
    """The first table in `text`, its header first; empty where there is none.

    Prose may stand in front of it where it may be `anywhere`; else a table inside a quoted cell would be taken for the
    whole. A bar inside a cell is written with a backslash, a line break as `<br>`.
    """
    lines = text.split("\n")
    rules = (place for place, line in enumerate(lines) if place and _is_rule(line, lines[place - 1]))
    rule = next(rules, 0)
    if not rule or not (anywhere or "".join(lines[: rule - 1]).strip() == ""):
        return []
    rows = [(rule, _split(lines[rule - 1]))]
    for place in range(rule + 1, len(lines)):
        if "|" not in lines[place]:  # the table ends here, and prose may follow
            break
        rows.append((place + 1, _split(lines[place])))
    return rows


def write_markdown_row(cells: Sequence[str]) -> str:
    """One line of a table, so that `read_markdown` gives back the same cells."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |\n"


def write_markdown_rule(count: int) -> str:
    """The line between header and rows."""
    return "|" + "---|" * count + "\n"


def _is_rule(line: str, above: str) -> bool:
    return "|" in line and "|" in above and bool(_RULE.fullmatch(line))


def _split(line: str) -> list[str]:
    inside = line.strip().removeprefix("|")
    inside = inside[:-1] if inside.endswith("|") and not inside.endswith("\\|") else inside
    return [_BREAK.sub("\n", cell.replace("\\|", "|")).strip() for cell in _BAR.split(inside)]
