"""What a model leaves in a text that was meant for it and not for the reader: tags, remarks, our jargon."""

import re
from collections.abc import Sequence
from typing import Final

_TAGS: Final = (
    "parent|seed|topic|relation|attribute|persona|change|label|labels|not_label|draft|critique|question|answer_as|"
    "wanted|item|about|example|examples|demonstrations|input|answer|part|text|candidate|candidate_answer|evidence|think"
)
_NEW: Final = "new|rewritten|rephrased|revised|modified|updated|adapted|improved|final"
_TEXT: Final = "input|question|text|prompt|problem|task|query|message|version|example|request|clause|sentence"
# Each is tried on the seeds first: what people themselves write in this task is no leftover.
_PATTERNS: Final = (
    rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>",
    r"<\|\w+\|>|\[/?INST\]",
    r"\A\s*```|```\s*\Z",
    r"\{\{.*?\}\}|\{%.*?%\}",
    r"\{(?:parent|seed|topic|attribute|relation|persona|label|input|question)\}",
    r"\[(?:insert|your|name|date|company|einfügen|insérer|insertar)\b[^\]\n]{0,40}\]",
    r"\bas an? (?:AI|artificial intelligence|large language model|language model)\b",
    r"\bals (?:KI|künstliche Intelligenz|Sprachmodell)\b",
    r"\ben tant (?:qu['’]IA|que modèle de langage)\b|\bcomo (?:modelo de (?:lenguaje|linguagem)|una? IA)\b",
    r"\A\W*(?:sure|certainly|of course|okay|gerne|natürlich|bien sûr|claro|certo)\b[^\n]{0,60}:\s",
    rf"\A\W*here(?: is|['’]s| are)\b[^.?!\n]{{0,30}}\b(?:{_NEW}|{_TEXT})\b[^.?!\n]{{0,40}}:",
    rf"\A\W*(?:the |my |your )?(?:{_NEW}) (?:{_TEXT})\W*:",
    r"\A\W*(?:hier (?:ist|sind)|voici|aquí (?:está|tienes)|ecco|aqui está)\b[^.?!\n]{0,60}:",
    r"\A\W*(?:neue[rs]?|nouvelle?|nuev[ao]|nuov[ao]|nov[ao])\s(?:eingabe|frage|aufgabe|text|anfrage|entrée|question|"
    r"texte|pregunta|entrada|domanda|pergunta)\W*:",
    r"\((?:note|hinweis|remark|anmerkung)\s?:[^)]*\)\s*\Z",
    r"^\W*note(?: that)?\b[^\n]*\b(?:rewritten|rewrote|rephrased|(?:this|the) (?:new|revised) )",
    r"\blet me know if (?:you|this)\b[^\n]*\b(?:changes|adjust|version|revis)\w*",
    r"\b(?:parent|seed) (?:input|question|text|example|problem|sentence|message)\b",
    r"\b(?:knowledge|given|chosen|named|provided|following) attribute\b",
    r"\b(?:given|chosen|provided|this) persona\b",
    r"\bfrom the perspective of (?:the|this) persona\b|\bthe (?:constraint|reasoning|concretize) operation\b",
    r"\b(?:attribute|persona|operation|relation|topic)\s*:\s*\S.*\n",
)


class Leftovers:
    """Finds what a prompt or an assistant left behind; patterns that fit one of the seeds are not used."""

    def __init__(self, seeds: Sequence[str]) -> None:
        compiled = [re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in _PATTERNS]
        kept = [pattern.pattern for pattern in compiled if not any(map(pattern.search, seeds))]
        self._any = re.compile("|".join(f"(?:{pattern})" for pattern in kept), re.IGNORECASE | re.MULTILINE)

    def find(self, text: str) -> str:
        """The first leftover in `text`, shortened, or nothing."""
        match = self._any.search(text)
        return match[0].strip()[:80] or "```" if match else ""
