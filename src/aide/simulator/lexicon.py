"""The few words of its own that the simulator has; all others it takes from what it is shown.

They stand in `words/<code>.toml`. Sentences there are patterns: `{t}` topic, `{r}` relation, `{a}` attribute,
`{x}` a time, `{y}` a place, `{n}` a number, `{w}` a word of the text, `{o}` an option. Times and places are
phrases that fit anywhere in a sentence, so that no pattern needs inflection.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Final

SPOKEN: Final = {
    "English": "en", "German": "de", "French": "fr", "Spanish": "es",
    "Deutsch": "de", "Français": "fr", "Español": "es",
}  # fmt: skip
_WORDS: Final = Path(__file__).with_name("words")


@dataclass(frozen=True)
class Lexicon:
    """What the simulator can say in one language; `code` is empty where it has no words of its own."""

    code: str
    name: str
    function: frozenset[str]
    times: tuple[str, ...]
    places: tuple[str, ...]
    things: tuple[str, ...]
    relations: tuple[str, ...]
    openers: Mapping[str, tuple[str, ...]]
    short: tuple[str, ...]
    people: tuple[str, ...]
    habits: tuple[str, ...]
    answers: tuple[str, ...]
    result: str

    @cached_property
    def own(self) -> frozenset[str]:
        """The words that the simulator itself puts into texts: no topic or attribute is made of them."""
        patterns = (pattern for kind in self.openers.values() for pattern in kind)
        said = " ".join((*self.times, *self.places, *self.relations, *patterns, *self.short)).casefold()
        return frozenset(word.strip(".,:;{}'") for word in said.split())


@lru_cache(maxsize=8)
def lexicon(code: str) -> Lexicon:
    """The lexicon of a language that the simulator speaks: en, de, fr or es."""
    data = _load(code)
    names = ("places", "things", "relations", "short", "people", "habits", "answers")
    lists = {name: tuple(data[name]) for name in names}
    return Lexicon(
        code=data["code"],
        name=data["name"],
        function=frozenset(data["function"].split()),
        times=tuple(f"{day} {hour}" for day, hour in product(data["days"], data["hours"])),
        openers={kind: tuple(patterns) for kind, patterns in data["openers"].items()},
        result=data["result"],
        **lists,
    )


@lru_cache(maxsize=1)
def small_words() -> tuple[tuple[str, str, frozenset[str]], ...]:
    """Name, code and smallest words of every language that can be told apart by them."""
    spoken = [lexicon(code) for code in ("en", "de", "fr", "es")]
    return (
        *((known.name, known.code, known.function) for known in spoken),
        *((row["name"], code, frozenset(row["function"].split())) for code, row in _load("known").items()),
    )


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((_WORDS / f"{name}.toml").read_text(encoding="utf-8"))
