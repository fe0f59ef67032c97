"""What a model leaves in a text that was meant for it and not for the reader: tags, remarks, refusals, our jargon."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from aide.text.markers import find_control_mark
from aide.text.tags import TAG, TAGS

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
_SAID: Final = "answer|solution|response|reply|explanation|result|output|translation|summary|code|text"
_HTML: Final = ("input", "label", "text", "line", "item")
_HELP: Final = (
    r"(?:assist|help|provide|fulfil?l|comply|answer|respond|create|generate|write|complete|engage|continue|discuss|"
    r"support|share|offer|produce|process|access|browse|do that|do this)\b"
)

Place = Literal["input", "answer", "both"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One way in which a model speaks out of its part."""

    reason: str
    """The reason of a reject, where it stands in an answer."""
    needle: str
    """Stands in each match, in small letters: a search for it costs a fortieth of one that ignores case."""
    pattern: str
    place: Place = "both"
    """Where it is no honest text."""


# Never used where it fits a seed: what people themselves write in this task is no leftover.
PHRASES: Final = (
    Phrase("prompt_tag", "<", TAG, "input"),
    # An answer may well explain HTML, whose tags some of ours are.
    Phrase("prompt_tag", "<", rf"</?(?:{'|'.join(name for name in TAGS if name not in _HTML)})>", "answer"),
    Phrase("fence", "```", r"\A\s*```|```\s*\Z", "input"),
    # --- gaps that somebody was to fill. Braces behind a backslash or a power are LaTeX.
    Phrase("placeholder", "{", r"\{\{[^\n]{0,200}?\}\}|\{%[^\n]{0,200}?%\}"),
    Phrase("placeholder", "{", r"\{(?:parent|seed|topic|attribute|relation|persona|label|input|question)\}"),
    Phrase("placeholder", "{", r"(?<![\\\w}^_$])\{[A-Za-z][\w ]{1,30}\}", "answer"),
    Phrase("placeholder", "[", r"\[(?:insert|your|name|date|company|einfügen|insérer|insertar)\b[^\]\n]{0,40}\]"),
    Phrase("placeholder", "[", r"(?<![\]\w])(?-i:\[[A-ZÄÖÜÉ][\w'’/ -]{2,40}\])(?![\[(:])", "answer"),
    Phrase("placeholder", "<", r"(?-i:<(?:[a-z]+(?:[_ -][a-z]+)+|[A-Z][A-Z_ ]{2,30})>)", "answer"),
    Phrase(
        "placeholder", "<",
        r"<(?:name|city|date|company|country|address|email|phone|number|product|person|place|amount|your [^<>]{1,30})>",
        "answer",
    ),
    # --- a model that speaks of itself, or declines
    Phrase("refusal", "as a", r"\bas an? (?:AI|artificial intelligence|large language model|language model)\b"),
    Phrase("refusal", "als ", r"\bals (?:KI|künstliche Intelligenz|Sprachmodell)\b"),
    Phrase("refusal", "en tant que", r"\ben tant que modèle de langage\b"),
    Phrase("refusal", "en tant qu", r"\ben tant qu['’]IA\b"),
    Phrase("refusal", "como ", r"\bcomo (?:modelo de (?:lenguaje|linguagem)|una? IA)\b"),
    Phrase("refusal", "i", r"\b(?:I am|I['’]m) (?:just |only )?an? (?:AI|language model)\b", "answer"),
    Phrase("refusal", "my ", r"\bmy (?:knowledge cut-?off|training data|last (?:knowledge )?update)\b", "answer"),
    Phrase("refusal", "real", r"\bI (?:do not|don['’]t) have (?:access to )?real-?time\b", "answer"),
    Phrase(
        "refusal", "i",
        r"\A\W*(?:(?:I['’]m|I am|we['’]re|we are) (?:very |really |so |truly )?sorry|sorry|unfortunately|apologies|"
        r"I apologi[sz]e|my apologies)\b[^.!?\n]{0,40}\bI(?: can(?:no|['’])?t| am (?:unable|not able) to|"
        rf"['’]m (?:unable|not able) to| won['’]t| will not)\b(?: be able to)? (?:\w+ )?{_HELP}",
        "answer",
    ),
    Phrase(
        "refusal", "i",
        r"\A\W*I(?: can(?:no|['’])t|(?: am|['’]m) (?:unable|not able) to| won['’]t| (?:must|have to) decline to) "
        rf"(?:\w+ )?{_HELP}",
        "answer",
    ),
    Phrase(
        "refusal", "leid",
        r"\A\W*(?:es )?tut mir (?:wirklich |sehr )?leid\b[^.!?\n]{0,80}\bnicht\b[^.!?\n]{0,20}"
        r"\b(?:helfen|beantworten|weiterhelfen|unterstützen|erstellen|erfüllen|schreiben)",
        "answer",
    ),
    Phrase(
        "refusal", "kann",
        r"\A\W*(?:leider )?kann ich (?:dir |Ihnen )?(?:dabei|damit|"
        r"diese Anfrage)\b[^.!?\n]{0,20}nicht", "answer",
    ),
    Phrase(
        "refusal", "je ",
        r"\A\W*(?:(?:je suis )?désolée?\b[^.!?\n]{0,30})?\bje ne (?:peux|puis) pas (?:\w+ )?(?:aider|"
        r"répondre|fournir|créer|générer|rédiger|écrire)", "answer",
    ),
    Phrase(
        "refusal", "puedo",
        r"\A\W*(?:lo siento\b[^.!?\n]{0,30})?\bno puedo (?:ayudar|responder|proporcionar|crear|generar|"
        r"escribir|cumplir)", "answer",
    ),
    Phrase(
        "refusal", "posso",
        r"\A\W*(?:(?:mi dispiace|desculpe|lamento|sinto muito)\b[^.!?\n]{0,30})?\bn(?:on|"
        r"ão) posso (?:\w+ )?(?:aiut|rispond|forni|cre|scriv|ajud|respond|fornec|ger|escrev)", "answer",
    ),
    Phrase(
        "refusal", "ik ",
        r"\A\W*(?:het spijt me|sorry)\b[^.!?\n]{0,20}\bik kan\b[^.!?\n]{0,30}\bniet\b", "answer",
    ),
    Phrase("refusal", "не могу", r"\A\W*(?:извините|к сожалению)\b[^.!?\n]{0,20}\bя не могу\b", "answer"),
    Phrase("refusal", "как ", r"\bкак (?:ИИ|языковая модель)\b", "answer"),
    Phrase("refusal", "抱歉", r"\A很?抱歉[^。！？\n]{0,10}我?(?:无法|不能)", "answer"),
    Phrase("refusal", "对不起", r"\A对不起[^。！？\n]{0,10}我?(?:无法|不能)", "answer"),
    Phrase("refusal", "作为", r"作为(?:一个|一名)?(?:AI|人工智能|语言模型)", "answer"),
    Phrase(
        "refusal", "申し訳",
        r"\A申し訳(?:ありません|ございません)[^。\n]{0,40}(?:できません|できかねます)", "answer",
    ),
    Phrase("refusal", "として", r"AI(?:アシスタント)?として", "answer"),
    # --- an introduction in front of what was asked for
    Phrase(
        "preamble", "",
        r"\A\W*(?:sure|certainly|of course|okay|gerne|natürlich|bien sûr|claro|certo)\b[^\n]{0,60}:\s",
    ),
    Phrase(
        "preamble", "here",
        rf"\A\W*here(?: is|['’]s| are)\b[^.?!\n]{{0,30}}\b(?:{_NEW}|{_TEXT})\b[^.?!\n]{{0,40}}:",
    ),
    Phrase(
        "preamble", "here",
        rf"\A\W*here(?: is|['’]s| are)\b[^.?!\n]{{0,40}}\b(?:{_SAID})\b[^.?!\n]{{0,40}}:", "answer",
    ),
    Phrase("preamble", "", rf"\A\W*(?:the |my |your )?(?:{_NEW}) (?:{_TEXT})\W*:"),
    Phrase(
        "preamble", "",
        r"\A\W*(?:hier (?:ist|sind)|voici|aquí (?:está|tienes)|ecco|aqui está)\b[^.?!\n]{0,60}:",
    ),
    Phrase("preamble", "", rf"\A\W*(?:{_NEW_ELSEWHERE})\s(?:{_TEXT_ELSEWHERE})\W*:"),
    Phrase("preamble", ":", rf"\A{_DRESS}(?:assistant|AI|bot|response|Assistent|Antwort)[*_]{{0,3}}:", "answer"),
    # --- a model that does not stop, and writes what the other side would say next
    Phrase("next_turn", ":", rf"^{_DRESS}(?:user|human|assistant|instruction|next question)[*_]{{0,3}}:", "answer"),
    # --- talk of how the text came about
    Phrase("prompt_talk", "(", r"\((?:note|hinweis|remark|anmerkung)\s?:[^)]{0,500}\)\s*\Z"),
    Phrase(
        "prompt_talk", "note",
        rf"^{_DRESS}note(?: that)?\b[^\n]{{0,300}}\b"
        rf"(?:rewritten|rewrote|rephrased|(?:this|the) (?:{_NEW}) (?:{_TEXT}))\b",
    ),
    Phrase(
        "prompt_talk", "let me know",
        r"\blet me know if (?:you|this)\b[^\n]{0,200}\b(?:changes|adjust|version|revis)\w*",
    ),
    Phrase(
        "prompt_talk", "example",
        r"\b(?:the|these|your) (?:given|provided|above|previous|preceding) examples?\b|\bexamples? (?:above|"
        r"provided|given|you (?:gave|provided))\b", "answer",
    ),
    Phrase(
        "prompt_talk", "beispiel",
        r"\b(?:den|die|das|dem) (?:obigen|gegebenen|genannten|obige|gegebene) Beispiel", "answer",
    ),
    Phrase(
        "prompt_talk", "",
        r"\b(?:the|your) (?:prompt|instructions?|guidelines) (?:says?|states?|asks?|requires?|wants?|above|"
        r"given|provided)\b", "answer",
    ),
    Phrase("prompt_talk", "as ", r"\bas (?:requested|instructed|per (?:the|your) instructions?)\b", "answer"),
    Phrase("prompt_talk", "parent ", rf"\bparent (?:{_TEXT})\b"),
    Phrase("prompt_talk", "seed ", rf"\bseed (?:{_TEXT})\b"),
    Phrase("prompt_talk", "attribute", r"\b(?:knowledge|given|chosen|named|provided|following) attribute\b"),
    Phrase(
        "prompt_talk", "persona",
        r"\b(?:given|chosen|provided|this) persona\b|\bfrom the perspective of the persona\b",
    ),
    Phrase("prompt_talk", " operation", r"\bthe (?:constraint|reasoning|concretize) operation\b"),
    Phrase("prompt_talk", ":", rf"^{_DRESS}(?:attribute|persona|operation|relation|topic)[ \t]*:\s{{0,20}}\S.*\n"),
)  # fmt: skip


REASONS: Final = tuple(dict.fromkeys(phrase.reason for phrase in PHRASES))


@dataclass(frozen=True, slots=True)
class Leftover:
    """What was found."""

    reason: str
    text: str
    """As it stands there, shortened."""


class Leftovers:
    """Finds what a prompt or an assistant left behind; phrases that fit one of the seeds' texts are not used.

    `place` says whether inputs or answers are looked at, `reasons` for what; marks of templates are looked for anyhow.
    """

    def __init__(self, seeds: Sequence[str], place: Place, reasons: Sequence[str] = REASONS) -> None:
        compiled = [
            (phrase.reason, phrase.needle, re.compile(phrase.pattern, _FLAGS))
            for phrase in PHRASES
            if phrase.place in (place, "both") and phrase.reason in reasons
        ]
        self._kept = [each for each in compiled if not any(map(each[2].search, seeds))]
        self._marks = not any(map(find_control_mark, seeds))

    def find(self, text: str, given: str = "") -> Leftover | None:
        """The first leftover in `text`; what stands in `given`, such as the question, may be said again."""
        if self._marks and (mark := find_control_mark(text)) and mark not in given:
            return Leftover("control_token", mark)
        lower = text.lower()
        for reason, needle, pattern in self._kept:
            if needle not in lower:
                continue
            for match in pattern.finditer(text):
                if match[0] not in given:
                    return Leftover(reason, match[0].strip()[:80])
        return None
