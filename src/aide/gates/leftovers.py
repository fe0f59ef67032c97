"""What a model leaves in a text that was meant for it and not for the reader: tags, remarks, our jargon."""

import re
from collections.abc import Sequence
from typing import Final

from aide.text.tags import TAG

_FLAGS: Final = re.IGNORECASE | re.MULTILINE
_NEW: Final = "new|rewritten|rephrased|revised|modified|updated|adapted|improved|final"
_NEW_ELSEWHERE: Final = "neue[rs]?|nouvelle?|nuev[ao]|nuov[ao]|nov[ao]"
_TEXT_ELSEWHERE: Final = (
    "eingabe|frage|aufgabe|text|anfrage|entrée|question|texte|pregunta|entrada|domanda|pergunta"
)
_TEXT: Final = "input|question|text|prompt|problem|task|query|message|version|example|request|clause|sentence"
# What may stand before a word at the beginning of a line: a bullet, a star, a quote. Bounded and within its line, so
# that each line is looked at once, however many there are.
_DRESS: Final = r"[^\w\n]{0,20}"
# A pattern is tried only where its needle stands in the lower-cased text, and never where it fits a seed:
# what people themselves write in this task is no leftover.
_PATTERNS: Final = (
    ("<", rf"{TAG}|<\|\w+\|>"),
    ("inst]", r"\[/?INST\]"),
    ("```", r"\A\s*```|```\s*\Z"),
    ("{", r"\{\{[^\n]{0,200}?\}\}|\{%[^\n]{0,200}?%\}"),
    ("{", r"\{(?:parent|seed|topic|attribute|relation|persona|label|input|question)\}"),
    ("[", r"\[(?:insert|your|name|date|company|einfügen|insérer|insertar)\b[^\]\n]{0,40}\]"),
    ("as a", r"\bas an? (?:AI|artificial intelligence|large language model|language model)\b"),
    ("als ", r"\bals (?:KI|künstliche Intelligenz|Sprachmodell)\b"),
    ("en tant que", r"\ben tant que modèle de langage\b"),
    ("en tant qu", r"\ben tant qu['’]IA\b"),
    ("como ", r"\bcomo (?:modelo de (?:lenguaje|linguagem)|una? IA)\b"),
    ("", r"\A\W*(?:sure|certainly|of course|okay|gerne|natürlich|bien sûr|claro|certo)\b[^\n]{0,60}:\s"),
    ("here", rf"\A\W*here(?: is|['’]s| are)\b[^.?!\n]{{0,30}}\b(?:{_NEW}|{_TEXT})\b[^.?!\n]{{0,40}}:"),
    ("", rf"\A\W*(?:the |my |your )?(?:{_NEW}) (?:{_TEXT})\W*:"),
    ("", r"\A\W*(?:hier (?:ist|sind)|voici|aquí (?:está|tienes)|ecco|aqui está)\b[^.?!\n]{0,60}:"),
    ("", rf"\A\W*(?:{_NEW_ELSEWHERE})\s(?:{_TEXT_ELSEWHERE})\W*:"),
    ("(", r"\((?:note|hinweis|remark|anmerkung)\s?:[^)]{0,500}\)\s*\Z"),
    (
        "note",
        rf"^{_DRESS}note(?: that)?\b[^\n]{{0,300}}\b"
        rf"(?:rewritten|rewrote|rephrased|(?:this|the) (?:{_NEW}) (?:{_TEXT}))\b",
    ),
    ("let me know", r"\blet me know if (?:you|this)\b[^\n]{0,200}\b(?:changes|adjust|version|revis)\w*"),
    ("parent ", rf"\bparent (?:{_TEXT})\b"),
    ("seed ", rf"\bseed (?:{_TEXT})\b"),
    ("attribute", r"\b(?:knowledge|given|chosen|named|provided|following) attribute\b"),
    ("persona", r"\b(?:given|chosen|provided|this) persona\b|\bfrom the perspective of the persona\b"),
    (" operation", r"\bthe (?:constraint|reasoning|concretize) operation\b"),
    (
        ":",
        rf"^{_DRESS}(?:attribute|persona|operation|relation|topic)[ \t]*:\s{{0,20}}\S.*\n",
    ),
)


class Leftovers:
    """Finds what a prompt or an assistant left behind; patterns that fit one of the seeds are not used."""

    def __init__(self, seeds: Sequence[str]) -> None:
        compiled = [(needle, re.compile(pattern, _FLAGS)) for needle, pattern in _PATTERNS]
        self._kept = [pair for pair in compiled if not any(map(pair[1].search, seeds))]

    def find(self, text: str) -> str:
        """The first leftover in `text`, shortened, or nothing."""
        lower = text.lower()  # a search for the needle costs a fortieth of a pattern that ignores case
        for needle, pattern in self._kept:
            if needle in lower and (match := pattern.search(text)):
                return match[0].strip()[:80]
        return ""
