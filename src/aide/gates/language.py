"""Whether a text is in the language that a task wants."""

from collections.abc import Sequence
from typing import Final

from aide.text.language import detect_languages, is_available, known_codes, list_near_codes
from aide.text.words import count_unspaced

WORDS_OVER: Final = 20  # in shorter texts a name or two mislead the identifier
_LETTERS_OVER: Final = 40  # the same for scripts that write no spaces
_FOREIGN_FROM: Final = 25  # percent of a text in other languages; less is a quotation or a line of code


class LanguageCheck:
    """Texts against one language, an ISO 639-1 code such as `de` or `pt-BR`.

    `works` is False, and nothing is ever found, where the code is empty or unknown or the identifier is not installed.
    Languages that it sees in a minority of the seeds pass: the task mixes them, or the identifier errs on such texts.
    """

    def __init__(self, code: str, seeds: Sequence[str]) -> None:
        self._passing = list_near_codes(code.lower())
        self.works = bool(code) and is_available() and bool(self._passing & known_codes())
        if not self.works:
            return
        seen = [language for text in seeds if is_long_enough(text) and (language := self.foreign(text))]
        if 2 * len(seen) < sum(map(is_long_enough, seeds)):
            self._passing = self._passing.union(*map(list_near_codes, seen))

    def foreign(self, text: str) -> str:
        """Code of the language of a good part of `text`; empty where that is the wanted one."""
        if not self.works or not is_long_enough(text):
            return ""
        reliable, found = detect_languages(text)
        others = [(code, share) for code, share in found if code not in self._passing]
        if reliable and others and sum(share for _, share in others) >= _FOREIGN_FROM:
            return others[0][0]
        return ""


def is_long_enough(text: str) -> bool:
    """Whether `text` is long enough to be sure: over 20 words, or 40 letters of a script without spaces."""
    return len(text.split()) > WORDS_OVER or count_unspaced(text) > _LETTERS_OVER
