"""Which language a text is in, told crudely by its script and its smallest words."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from aide.simulator.lexicon import SPOKEN, Lexicon, lexicon, small_words

WORD: Final = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
UNSPACED: Final = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_SCRIPTS: Final = (
    ("\u3040", "\u30ff", "Japanese", "ja"),
    ("\uac00", "\ud7af", "Korean", "ko"),
    ("\u3400", "\u9fff", "Chinese", "zh"),
    ("\u0600", "\u06ff", "Arabic", "ar"),
    ("\u0590", "\u05ff", "Hebrew", "he"),
    ("\u0400", "\u04ff", "Russian", "ru"),
    ("\u0370", "\u03ff", "Greek", "el"),
    ("\u0900", "\u097f", "Hindi", "hi"),
    ("\u0e00", "\u0e7f", "Thai", "th"),
)
_SAMPLE: Final = 2000


def guess(texts: Sequence[str]) -> tuple[str, str]:
    """English name and two-letter code of the language of `texts`; English where nothing tells."""
    text = " ".join(texts)[:_SAMPLE]
    for first, last, name, code in () if text.isascii() else _SCRIPTS:
        count = sum(first <= letter <= last for letter in text)
        # Japanese mixes its own signs with Chinese ones, so a few of them tell.
        if count > len(text) * (0.05 if code == "ja" else 0.3):
            return name, code
    words = WORD.findall(text.casefold())
    name, code, _ = max(small_words(), key=lambda row: sum(word in row[2] for word in words))
    return name, code


def lexicon_for(named: str, sample: str) -> Lexicon:
    """The words to speak with: of the language that the prompt names, else of the one that `sample` is in."""
    code = SPOKEN.get(named)
    return lexicon(code) if code else _lexicon_of(named, sample)


@lru_cache(maxsize=512)
def _lexicon_of(named: str, sample: str) -> Lexicon:
    code = SPOKEN.get(guess([sample])[0])
    return lexicon(code) if code and not named else _wordless(sample)


def pairs(text: str) -> list[str]:
    """The words of a text in a script without spaces: its characters, two by two."""
    runs = [run for run in WORD.findall(text) if UNSPACED.match(run)]
    return [run[i : i + 2] for run in runs for i in range(0, len(run) - 1, 2)]


def _wordless(sample: str) -> Lexicon:
    """A lexicon for a language that the simulator cannot speak: every word comes from the sample."""
    unspaced = bool(UNSPACED.search(sample))
    found = pairs(sample) if unspaced else [word for word in WORD.findall(sample) if len(word) > 3]
    words = list(dict.fromkeys(found)) or ["—"]
    half = max(1, len(words) // 2)
    pattern = "{t}{a}{x}，{y}{n}。" if unspaced else "{t} {a} {x} {y} {n}."
    short = "{a}{x}{n}{y}：" if unspaced else "{a} {x} {n} {y}:"
    openers = dict.fromkeys(("constraint", "reasoning", "concretize", "other"), (pattern,))
    return replace(
        lexicon("en"),
        code="",
        name="",
        function=frozenset(),
        times=tuple(words[:half])[:60],
        places=tuple(words[half:] or words)[:60],
        things=(),
        relations=tuple(words[-8:]),
        openers={**openers, "persona": (pattern.replace("{a}", "{w}"),)},
        short=(short,),
        people=tuple(words[:24]),
        habits=("{t}，{w}" if unspaced else "{t}, {w}",),
        answers=("{o}{a}。" if unspaced else "{o} {a}.",),
        result="{n}",
    )
