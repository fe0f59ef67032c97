"""An endpoint that answers with real texts of a pool, so that the true task of each is known.

A new input is the unused text of the pool that lies nearest to what the prompt asks for: to its line, and
to seed and parent where they are given. So what a prompt really asks for decides what comes back, and nothing else
does. All else is left to the simulator.

Nearness is the cosine of word counts weighted by rarity (tf-idf: Salton and Buckley, 1988).
"""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

from aide.records import Draft, digest
from aide.seeds import SeedMapping, load_seeds
from aide.simulator import Simulator
from aide.simulator.request import flatten, read_request

# What each part of a prompt weighs: whole texts one, the words of a line half of that.
WEIGHTS: Final[Mapping[str, float]] = {"seed": 1.0, "parent": 1.0, "line": 0.5}
_COMMON: Final = 0.2  # words of more than so many texts tell nothing
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class KnownText:
    """A text of the pool: the task it belongs to, and what is right about it."""

    task: str
    draft: Draft


class Corpus:
    """The pool, indexed. What is used up depends on the order of questions; one question has one answer."""

    def __init__(self, pool: Iterable[KnownText]) -> None:
        self.pool = list(pool)
        self._places: dict[str, int] = {}
        for place, known in enumerate(self.pool):
            self._places.setdefault(_fold(known.draft.input), place)
        self._used = bytearray(len(self.pool))
        self._given: dict[str, int] = {}
        counts = [_count(known.draft.input) for known in self.pool]
        holders = Counter(word for count in counts for word in count)
        self._rarity = {
            word: math.log(len(counts) / held)
            for word, held in holders.items()
            if held <= max(2, _COMMON * len(counts))
        }
        self._index: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, count in enumerate(counts):
            for word, weight in self._weigh(count).items():
                self._index[word].append((place, weight))

    @classmethod
    def read(cls, paths: Sequence[str]) -> "Corpus":
        """The examples of all files, each under the name of its task; lines without an answer are left out."""
        loaded = [load_seeds([path], SeedMapping(skip_bad=True)) for path in paths]
        return cls(KnownText(each.task, seed.draft) for each in loaded for seed in each.seeds)

    def fresh(self) -> "Corpus":
        """The same pool with nothing used, sharing the index."""
        other = copy(self)
        other._used, other._given = bytearray(len(self.pool)), {}
        return other

    def likeness(self, one: str, other: str) -> float:
        """How near two texts are, 0 to 1."""
        a, b = self._weigh(_count(one)), self._weigh(_count(other))
        return sum(weight * b[word] for word, weight in a.items() if word in b)

    def find(self, text: str) -> KnownText | None:
        """What the pool knows of a text."""
        place = self._places.get(_fold(text))
        return None if place is None else self.pool[place]

    def choose(self, asked: Mapping[str, str], again: Sequence[str] = ()) -> KnownText:
        """The text for what a prompt asks, the same for the same question; `again` sets further samples apart."""
        wanted = {name: asked[name] for name in WEIGHTS if asked.get(name)}
        key = digest(*again, *(f"{name}={text}" for name, text in wanted.items()))
        if key not in self._given:
            self._given[key] = self._find_nearest(wanted)
            self._used[self._given[key]] = 1
        return self.pool[self._given[key]]

    def _find_nearest(self, wanted: Mapping[str, str]) -> int:
        """The place of the nearest unused text; of all texts once every one is used."""
        query: dict[str, float] = defaultdict(float)
        for name, text in wanted.items():
            for word, weight in self._weigh(_count(text)).items():
                query[word] += WEIGHTS[name] * weight
        scores: dict[int, float] = defaultdict(float)
        for word, weight in query.items():
            for place, held in self._index.get(word, ()):
                scores[place] += weight * held
        shown = {_fold(text) for text in wanted.values()}
        for place in sorted(scores, key=lambda place: (-scores[place], place)):
            if not self._used[place] and _fold(self.pool[place].draft.input) not in shown:
                return place
        unused = self._used.find(0)
        return unused if unused >= 0 else int(digest(*wanted.values()), 16) % len(self.pool)

    def _weigh(self, count: Mapping[str, int]) -> dict[str, float]:
        weights = {
            word: (1 + math.log(n)) * self._rarity[word] for word, n in count.items() if word in self._rarity
        }
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {word: weight / norm for word, weight in weights.items()}


class CorpusSimulator(Simulator):
    """The simulator with the texts and answers of a corpus in the place of its own."""

    def __init__(self, corpus: Corpus, unread: Sequence[str] = ()) -> None:
        """`unread` are parts of a prompt that say nothing of what is wanted; they still tell two questions apart."""
        super().__init__()
        self.corpus = corpus
        self.unread = unread

    def write(self, body: Mapping[str, Any]) -> str:
        """The text of the answer to a request body."""
        request = read_request(body)
        asked = flatten(request.tags)
        if request.step == "synthesize":
            drafts = [self._choose({**asked, **own}, request.again) for own in request.numbered]
            if request.schema is not None:
                return json.dumps({"texts": [draft.input for draft in drafts]})
            if "item" not in asked:
                return drafts[0].input
            return "\n".join(
                f'<item n="{n}">{draft.input}\n<answer>{draft.output}</answer></item>'
                for n, draft in enumerate(drafts, start=1)
            )
        known = self.corpus.find(asked.get("question", "")) if request.step == "answer" else None
        return known.draft.output if known else super().write(body)

    def _choose(self, asked: Mapping[str, str], again: Sequence[str]) -> Draft:
        read = {name: text for name, text in asked.items() if name not in self.unread}
        return self.corpus.choose(read, (*again, *(asked.get(name, "") for name in self.unread))).draft


def _count(text: str) -> Counter[str]:
    return Counter(word.casefold() for word in _WORD.findall(text))


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()
