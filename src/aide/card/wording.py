"""How a text is worded, as far as code can tell: form, sentences, greeting, numbers. Traits are counted by it."""

import re
from typing import Final

from aide.parsing import looks_like_code
from aide.text.words import UNSPACED, fold_case

QUESTION: Final = "question"
STATEMENT: Final = "statement"
WHICH: Final = "which of the following"
STEM: Final = "stem"
GAP: Final = "gap"
CODE: Final = "code"

_ENDS: Final = {"。": ".", "．": ".", "।": ".", "？": "?", "؟": "?", "！": "!"}
_END: Final = ".?!…" + "".join(_ENDS)
_CLOSING: Final = "\"'”’»“)]）」』"
# A full stop after a single letter that stands alone ("p.m.", "J. Smith") ends no sentence. Runs are bounded, so that a
# page of dots is not read anew from each of them.
_SENTENCE: Final = re.compile(
    rf"(?<![\s.]\w)[.?!…]{{1,20}}[{re.escape(_CLOSING)}]{{0,20}}(?=\s|\Z|[{UNSPACED}])|[。．।？！؟]+|(?<=\w)\Z"
)
_FIGURE: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_GAP: Final = re.compile(r"_{2,}|\[blank\]|\.{5,}")
# All patterns below meet folded text: no capitals, and ß is ss.
_WHICH: Final = re.compile(
    r"\bwh(?:ich|at)\b(?: \w+)?(?: \w+)? of (?:the following|these)\b"
    r"|\b(?:welche[rsn]?|was) (?:\w+ )?(?:der|von den) folgenden\b"
    r"|\b(?:le|la)(?:s)?quel(?:le)?s? (?:des|de ces)\b|\bcuál(?:es)? de (?:las|los) siguientes\b"
    r"|次のうち|下列|以下哪"
)
_GREETING: Final = re.compile(
    r"\W*(?:(?:hello|hi+|hey|hiya|greetings|dear \w+|good (?:morning|afternoon|evening|day)"
    r"|hallo|moin|servus|guten (?:tag|morgen|abend)|grüss gott|sehr geehrte[rs]?|liebe[rs]? \w+"
    r"|bonjour|bonsoir|salut|chère?s? \w+|hola|buen[oa]s? (?:días?|tardes|noches)|estimad[oa]s?"
    r"|ciao|salve|buongiorno|buonasera|gentile|olá|oi|bom dia|boa (?:tarde|noite)"
    r"|hej|hei|dag|goedemorgen|goedemiddag|cześć|dzień dobry|dobrý den"
    r"|привет|здравствуйте|добрый день|merhaba|selam)(?![-\w])"
    r"|こんにちは|こんばんは|おはよう|お世話に|はじめまして|您好|你好|안녕|مرحبا|السلام عليكم|สวัสดี|नमस्ते)"
    r"[\s,.!:、。！，]*"
)
_AUXILIARY: Final = (
    r"(?:is|are|am|was|were|do|does|did|can|could|will|would|should|shall|may|might|must|has|have|had)"
    r"(?:n['’]?t)?"
)
# Words at the beginning that make a question of a text even where its mark is left out. "When" opens clauses, too
# ("when i pay it fails"), so it needs a verb behind it.
_ASKS: Final = re.compile(
    rf"(?:(?:who|whom|whose|what|where|why|how|which)\b|when\W+{_AUXILIARY}\b"
    rf"|{_AUXILIARY} (?:i|you|we|they|it|he|she|there|this|that|the|my|your|our|any(?:one|body)|someone)\b"
    r"|(?:wer|wen|wem|wessen|was|wo|wohin|woher|wann|warum|wieso|weshalb|wie|welche[rsmn]?)\b"
    r"|(?:kann|können|könnt|könnten|darf|dürfen|ist|sind|gibt|hat|haben|muss|soll)"
    r" (?:ich|man|sie|ihr|wir|du|es|mir|das|die|der|jemand)\b"
    r"|(?:pourquoi|comment|combien|quand|où|quel(?:le)?s?|est-ce)\b"
    r"|(?:¿|qué|cómo|cuándo|dónde|cuánto|por qué|cuál)\b|(?:perché|quando|quanto|cosa|chi|dove|quale)\b"
    r"|(?:почему|как|когда|где|кто|что|сколько)\b)"
)
_ASKS_AT_THE_END: Final = re.compile(r"(?:か|かな|吗|呢|嗎|까요|나요|니까)\W*\Z")
_CODE_SIGN: Final = re.compile(r"[=(){}\[\];]")
_CONCLUSION_WORDS: Final = 8


def find_form(text: str, *, choice: bool) -> str:
    """Question or statement; of a multiple choice question also "which of the following", a stem, or one with a gap."""
    if _is_code(text):
        return CODE
    folded = fold_case(text).strip()
    if choice:
        if _WHICH.search(folded):
            return WHICH
        if _GAP.search(text):
            return GAP
    if _is_question(folded):
        return QUESTION
    # "The most likely cause of this is" goes on in the option; so does "According to Hume, reason:".
    return STEM if choice and not find_punctuation(text) else STATEMENT


def _is_code(text: str) -> bool:
    # "import taxes" and "raise salaries" are Python; without any of these signs a text is taken for prose.
    return bool(_CODE_SIGN.search(text)) and looks_like_code(text)


def _is_question(folded: str) -> bool:
    if "?" in folded or "؟" in folded:
        return True
    if find_punctuation(folded) in (".", "!") and not _ASKS_AT_THE_END.search(folded):
        return False
    greeting = _GREETING.match(folded)
    return bool(_ASKS.match(folded, greeting.end() if greeting else 0) or _ASKS_AT_THE_END.search(folded))


def find_punctuation(text: str) -> str:
    """The mark that ends a text, within quotes and brackets, too: `.`, `?`, `!` or `…`; empty where there is none."""
    last = text.rstrip().rstrip(_CLOSING).rstrip()[-1:]
    return _ENDS.get(last, last) if last in _END else ""


def count_sentences(text: str) -> int:
    """How many sentences, at least one; a last one needs no mark. Code is one."""
    return 1 if _is_code(text) else max(1, len(_SENTENCE.findall(text.strip())))


def count_lines(text: str) -> int:
    """How many lines that are not blank, at least one."""
    return max(1, sum(bool(line.strip()) for line in text.splitlines()))


def has_greeting(text: str) -> bool:
    """True when a text begins with hello, in one of the commoner languages."""
    return bool(_GREETING.match(fold_case(text)))


def begins_lower(text: str) -> bool:
    """True when the first letter is a small one, in a script that has both. Of code it means nothing."""
    first = next((letter for letter in text if letter.isalpha()), "")
    return first.islower() and first != first.upper() and not _is_code(text)


def count_figures(text: str) -> int:
    """How many numbers stand in a text as digits; `1,200.50` and `10:30` are one each."""
    return len(_FIGURE.findall(text))


def count_steps(working: str) -> int:
    """Steps of a worked answer: its lines but for a closing one, or the equations or sentences of its only line.

    0 for a bare result.
    """
    lines = [line for line in working.splitlines() if line.strip()]
    if len(lines) > 1:
        closing = "=" not in lines[-1] and len(lines[-1].split()) <= _CONCLUSION_WORDS
        return len(lines) - closing
    if len(working.split()) <= 3:
        return 0
    return max(working.count("="), count_sentences(working))
