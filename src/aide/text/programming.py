"""Which programming language a text is in, by the words that only its programs begin or go on with.

A fence that names the language is believed. Otherwise each language has a pattern of statements, and the one with most
matches wins; a text with none is no program that is known here.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

PYTHON: Final = "python"
SQL: Final = "sql"
_FENCE: Final = re.compile(r"\A\s*```[ \t]*([A-Za-z+#]{1,20})[ \t]*\n")
_FENCED: Final = re.compile(r"\A(```[ \t]*[A-Za-z+#0-9]{1,20})[ \t]*\n(.*?)\n?```\Z", re.DOTALL)
_PLAIN: Final = ("text", "txt", "plain", "plaintext", "markdown", "md", "json", "csv")  # fences of no program
_ALIASES: Final = {
    "py": PYTHON, "python3": PYTHON, "js": "javascript", "node": "javascript", "ts": "typescript", "sh": "bash",
    "shell": "bash", "zsh": "bash", "c++": "cpp", "cs": "csharp", "c#": "csharp", "rb": "ruby", "rs": "rust",
    "golang": "go", "kt": "kotlin", "sqlite": SQL, "mysql": SQL, "postgresql": SQL, "postgres": SQL, "tsql": SQL,
}  # fmt: skip
_COMMENT: Final = re.compile(r"\A(?:\s|--[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
_STATEMENT: Final = re.compile(
    r"(?:SELECT\b.+|INSERT\s+(?:OR\s+\w+\s+)?INTO\b.+|UPDATE\s+\S+\s+SET\b.+|DELETE\s+FROM\b.+"
    r"|WITH\s+(?:RECURSIVE\s+)?\w+\s*(?:\([^)]*\)\s*)?AS\s*\(.+|CREATE\s+(?:TEMP\w*\s+)?(?:TABLE|VIEW|INDEX|UNIQUE)\b.+"
    r"|ALTER\s+TABLE\b.+|DROP\s+(?:TABLE|VIEW|INDEX)\b.+)",
    re.DOTALL | re.IGNORECASE,
)
_ENGLISH_SELECT: Final = re.compile(
    # A column or table may be called `a`: an article has a noun after it, and no word that goes on with a statement.
    r"(?:select|update|create)\s+(?:(?:the|your|all of)\b"
    r"|an?\s+(?!(?:from|as|into|is|and|or)\b|set\s+\S+?\s*=)[a-z\d\"'])",
    re.IGNORECASE,
)
_SIGNS: Final = {
    "cpp": r"^\s*#include\s*<(?:iostream|vector|string|algorithm|map|bits)|\bstd::|\bcout\s*<<",
    "c": r"^\s*#include\s*<(?:stdio|stdlib|string|stdint)\.h>|\bprintf\s*\(|\bmalloc\s*\(",
    "java": r"\bpublic\s+(?:static|class|final|void|int|String|List)\b|\bSystem\.out\.|^\s*import\s+java",
    "csharp": r"^\s*using\s+System|\bConsole\.Write|\bnamespace\s+\w+"
    r"|\bpublic\s+(?:static\s+)?(?:string|bool|IEnumerable)\b",
    "typescript": r"^\s*(?:export\s+)?(?:interface|type)\s+\w+|\)\s*:\s*(?:number|string|boolean|void)\b"
    r"|^\s*(?:const|let)\s+\w+\s*:\s*\w+",
    "javascript": r"^\s*(?:const|let|var)\s+[\w{\[]|\bfunction\b\s*\w*\s*\(|=>|\bconsole\.log\b|\bdocument\.",
    "go": r"^\s*package\s+\w+|^\s*func\s+(?:\([^)]*\)\s*)?\w+\(|:=|\bfmt\.",
    "rust": r"\bfn\s+\w+|\blet\s+mut\b|\bimpl\b|println!|\buse\s+std::",
    "ruby": r"^\s*def\s+\w+[?!]?(?:\s*\([^)]*\))?\s*$|^\s*end\s*$|\bputs\b|\.each\s+do\b",
    "php": r"<\?php|\$\w+\s*=|\becho\b\s",
    "kotlin": r"\bfun\s+\w+\s*\(|\bval\s+\w+\s*[:=]|\bprintln\(",
    "swift": r"\bfunc\s+\w+\s*\([^)]*\)\s*->|\bguard\s+let\b|\bif\s+let\b|\bvar\s+\w+\s*:\s*\[?[A-Z]",
    "bash": r"^#!.*\b(?:ba|z)?sh\b|^\s*(?:if|while)\s+\[|\|\s*(?:grep|awk|sed|sort|wc)\b|^\s*(?:fi|done|esac)\s*$"
    r"|^\s*(?:grep|awk|sed|find|tar|chmod|curl|ls|rsync)\s+-",
    "r": r"<-\s*function\s*\(|\blibrary\(|%>%|\bdata\.frame\(",
    "html": r"<!DOCTYPE html|<(?:html|body|div|form|table|button)\b",
    "css": r"^\s*[.#]?[\w-]+(?:[ ,>:][^{}\n]*)?\{\s*$(?:\n\s*[\w-]+\s*:\s*[^;]+;)+",
}  # fmt: skip
_PATTERNS: Final = {name: re.compile(sign, re.MULTILINE) for name, sign in _SIGNS.items()}


def split_fence(text: str) -> tuple[str, str]:
    """The first line of the fence that a whole program stands in, and the program; no line where it stands in none."""
    found = _FENCED.match(text.strip())
    if found is None or "```" in found[2] or found[1].strip("` \t").lower() in _PLAIN:
        return "", text
    return found[1], found[2]


def is_sql(text: str) -> bool:
    """True for a statement of SQL, fenced or not: a verb at its beginning and what must follow it."""
    text = split_fence(text)[1]
    begun = text[_COMMENT.match(text).end() :] if text else ""  # type: ignore[union-attr]
    return bool(_STATEMENT.match(begun)) and not _ENGLISH_SELECT.match(begun)


def name_language(text: str) -> str:
    """The language of one program, `python` aside, which its own parser knows best; empty where none is sure."""
    if fence := _FENCE.match(text):
        named = fence[1].lower()
        return _ALIASES.get(named, named)
    if is_sql(text):
        return SQL
    found = {name: len(pattern.findall(text)) for name, pattern in _PATTERNS.items()}
    best = max(found, key=lambda name: found[name])
    return best if found[best] else ""


def find_language(programs: Sequence[str], share: float) -> str:
    """The language that at least this share of the programs is in; empty where they differ."""
    named = Counter(map(name_language, programs)).most_common(1)
    name, count = named[0] if named else ("", 0)
    return name if count >= share * len(programs) else ""
