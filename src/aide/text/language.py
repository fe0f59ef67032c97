"""Which language a text is in, by Google's CLD2 (package `pycld2`, loaded at the first text).

Of seven identifiers that were measured for this it is the smallest without a wrong verdict on 495 human English texts
and 40 texts of 30 languages: 18 ms to load, 7 MiB, 0.07 ms a text; more accurate ones cost 20 to 90 MiB. There is no
package of it for some machines; nothing is identified there.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Final

from aide.text.words import count_unspaced

_SURE_FROM: Final = 90  # percent of all texts together; less is a task that mixes languages
# Fewer letters than these, from all texts together, may be names; of a script without spaces each says more.
_LETTERS_FROM: Final = 40
_UNSPACED_FROM: Final = 15
_MOST: Final = 100_000  # characters are enough to be sure
# Where CLD2's own code or name is not the usual one.
_CODES: Final = {"iw": "he", "jw": "jv", "in": "id", "mo": "ro"}
_NAMES: Final = {"zh-hant": "Chinese (traditional)", "pt": "Portuguese", "no": "Norwegian", "el": "Greek"}

# Too near to each other to be told apart in a few sentences: each of a family passes for the others.
_FAMILIES: Final = (
    {"no", "nb", "nn", "da"},
    {"hr", "sr", "bs", "sh", "me"},
    {"id", "ms"},
    {"zh", "zh-hant", "yue"},
    {"cs", "sk"},
    {"gl", "pt", "es"},
    {"bg", "mk"},
    {"ur", "hi"},
    {"af", "nl"},
    {"he", "iw"},
    {"sco", "en"},
)


@dataclass(frozen=True, slots=True)
class Language:
    """A language by its English name and its ISO 639 code in small letters."""

    name: str
    code: str


def is_available() -> bool:
    """True when there is an identifier on this machine."""
    return find_spec("pycld2") is not None


def identify_language(texts: Sequence[str]) -> Language | None:
    """The one language of all texts together; `None` where that is not sure."""
    text = "\n".join(texts)[:_MOST]
    letters = sum(letter.isalpha() for letter in text)
    if not is_available() or (letters < _LETTERS_FROM and count_unspaced(text) < _UNSPACED_FROM):
        return None
    reliable, found = detect_languages(text)
    if not reliable or not found or found[0][1] < _SURE_FROM:
        return None
    code = found[0][0]
    name = _NAMES.get(code) or _list_names().get(code, "")
    return Language(name, _CODES.get(code, code)) if name else None


def detect_languages(text: str) -> tuple[bool, list[tuple[str, int]]]:
    """Whether the verdict is reliable, and up to three languages by their share in percent, by CLD2's codes."""
    import pycld2

    try:
        reliable, _, found = pycld2.detect(_printable(text), isPlainText=True)
    except pycld2.error:
        return False, []
    return reliable, [(code.lower(), share) for _, code, share, _ in found if code != "un" and share]


def _printable(text: str) -> str:
    """The detector refuses control characters and lone surrogates."""
    text = text.replace("\n", " ")
    if text.isprintable():
        return text
    return "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text)


def list_near_codes(code: str) -> frozenset[str]:
    """The code itself, that of its language without a region, and those of languages that are told for it."""
    code = code.lower().replace("_", "-")
    base = code.partition("-")[0]
    return frozenset({code, base}.union(*(family for family in _FAMILIES if family & {code, base})))


@cache
def known_codes() -> frozenset[str]:
    """The codes of all languages that CLD2 can tell."""
    return frozenset(_list_names())


@cache
def _list_names() -> dict[str, str]:
    import pycld2

    return {code.lower(): name.replace("_", " ").title() for name, code in pycld2.LANGUAGES}
