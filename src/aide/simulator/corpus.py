"""A simulator with real knowledge: it answers with texts of a pool, so that the true task of each is known.

A new input is the unused text of the pool that lies nearest to what the prompt asks for: to seed and parent
where they are given, to topic, attribute and persona where they are. So what a prompt really asks
for decides what comes back, and nothing else does. Texts of the pool are answered and judged by what the pool
says of them.

Nearness is the cosine of word counts weighted by rarity (tf-idf: Salton and Buckley, 1988).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

import orjson

from aide.errors import InputError
from aide.records import Draft, digest
from aide.seeds import SeedMapping, load_seeds
from aide.simulator.languages import WORD
from aide.simulator.reading import Prompt, Tag
from aide.simulator.settings import SimulatorSettings
from aide.simulator.steps import answer, asking, together

# What each part of a prompt weighs: whole texts one, words that are named half of that, for or against.
WEIGHTS: Final[Mapping[str, float]] = {
    "seed": 1.0, "parent": 1.0, "draft": 1.0, "topic": 0.5, "attribute": 0.5, "persona": 0.5,
    "others": -0.5,
}  # fmt: skip
_COMMON: Final = 0.2  # words of more than so many texts tell nothing
_GOOD: Final = 9
_POOR: Final = 2


@dataclass(frozen=True, slots=True)
class Known:
    """A text of the pool: the task it belongs to, and what is right about it."""

    task: str
    draft: Draft


class Corpus:
    """The pool, indexed. What is used up depends on the order of questions; one question has one answer."""

    def __init__(self, pool: Iterable[Known]) -> None:
        self.pool = list(pool)
        self._places: dict[str, int] = {}
        for place, known in enumerate(self.pool):
            self._places.setdefault(_folded(known.draft.input), place)
        self._used = bytearray(len(self.pool))
        self._given: dict[str, int] = {}
        counts = [Counter(_words(known.draft.input)) for known in self.pool]
        holders = Counter(word for count in counts for word in count)
        self._rarity = {
            word: math.log(len(counts) / held)
            for word, held in holders.items()
            if held <= max(2, _COMMON * len(counts))
        }
        self._index: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, count in enumerate(counts):
            for word, weight in self._vector(count).items():
                self._index[word].append((place, weight))

    @classmethod
    def read(cls, paths: Sequence[str]) -> "Corpus":
        """The examples of all files, each under the name of its task; lines without an answer are left out.

        Raises:
            InputError: a file can't be read, or holds no examples.
        """
        pool = []
        for path in paths:
            loaded = load_seeds([path], SeedMapping(skip_bad=True))
            pool += [Known(loaded.task, seed.draft) for seed in loaded.seeds]
        if not pool:
            raise InputError("the corpus is empty", hint="name files of examples: corpus=a.jsonl,b.jsonl")
        return cls(pool)

    def fresh(self) -> "Corpus":
        """The same pool with nothing used, sharing the index."""
        other = copy(self)
        other._used, other._given = bytearray(len(self.pool)), {}
        return other

    def likeness(self, one: str, other: str) -> float:
        """How near two texts are, 0 to 1."""
        a, b = (self._vector(Counter(_words(text))) for text in (one, other))
        return sum(weight * b[word] for word, weight in a.items() if word in b)

    def find(self, text: str) -> Known | None:
        """What the pool knows of a text."""
        place = self._places.get(_folded(text))
        return None if place is None else self.pool[place]

    def say(self, prompt: Prompt) -> str | None:
        """The answer to a prompt, `None` where the pool has nothing to say to it."""
        match prompt.step:
            case "synthesize" | "revise":
                text = self._new(prompt, prompt.tags)
                if "answer_as" not in prompt.tags:
                    return text
                asked = asking(prompt, text)
                return together(text, self._answer(asked) or answer(asked, SimulatorSettings()))
            case "siblings":
                items = [self._new(prompt, {**prompt.tags, **wanted}) for wanted in prompt.wanted]
                return "\n".join(f'<item n="{n}">{text}</item>' for n, text in enumerate(items, start=1))
            case "answer":
                return self._answer(prompt)
            case "reflect":
                return self._verdict(prompt)
            case _:
                return None

    # --- new inputs -----------------------------------------------------------------------------------

    def _new(self, prompt: Prompt, tags: Mapping[str, Tag]) -> str:
        asked = {name: tags[name].text for name in WEIGHTS if name in tags and tags[name].text}
        key = digest(prompt.retry, prompt.draw, *(f"{name}={text}" for name, text in asked.items()))
        if key not in self._given:
            place = self._nearest(asked)
            self._used[place] = 1
            self._given[key] = place
        return self.pool[self._given[key]].draft.input

    def _nearest(self, asked: Mapping[str, str]) -> int:
        """The place of the nearest unused text; of all texts once every one is used."""
        query: dict[str, float] = defaultdict(float)
        for name, text in asked.items():
            for word, weight in self._vector(Counter(_words(text))).items():
                query[word] += WEIGHTS[name] * weight
        scores: dict[int, float] = defaultdict(float)
        for word, weight in query.items():
            for place, held in self._index.get(word, ()):
                scores[place] += weight * held
        shown = {_folded(text) for text in asked.values()}
        for place in sorted(scores, key=lambda place: (-scores[place], place)):
            if not self._used[place] and _folded(self.pool[place].draft.input) not in shown:
                return place
        unused = self._used.find(0)
        return unused if unused >= 0 else int(digest(*asked.values()), 16) % len(self.pool)

    def _vector(self, count: Mapping[str, int]) -> dict[str, float]:
        weights = {
            word: (1 + math.log(n)) * self._rarity[word] for word, n in count.items() if word in self._rarity
        }
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {word: weight / norm for word, weight in weights.items()}

    # --- what is right --------------------------------------------------------------------------------

    def _answer(self, prompt: Prompt) -> str | None:
        known, form = self.find(prompt.get("question")), prompt.tags.get("answer_as")
        kind = form.attributes.get("kind", "") if form else ""
        if known is None or kind == "tests" or prompt.parts:
            return None
        draft = known.draft
        if prompt.labels:
            names = [name for name, _ in prompt.labels]
            return _json({"label": draft.output}) if draft.output in names else None
        if kind == "multiple_choice":
            wrong = [choice for choice in draft.choices if choice != draft.output]
            count = int(form.attributes.get("options", "4") or 4) - 1 if form else 3
            return _json({"correct": draft.output, "wrong": wrong[:count]}) if len(wrong) >= count else None
        return f"```python\n{draft.output}\n```" if kind == "code" else draft.output

    def _verdict(self, prompt: Prompt) -> str | None:
        """The judge knows the task of both texts, and the right answer to the candidate."""
        known, seed = self.find(prompt.get("candidate")), self.find(prompt.get("seed"))
        if known is None:
            return None
        said = prompt.get("candidate_answer").strip()
        own = known.draft.output
        right = said in (own, f"```\n{own}\n```") or _right_line(known.draft, said)
        same = seed is None or seed.task == known.task
        return _json(
            {
                "own_answer": own, "critique": "none" if same and right else "It is not right.",
                "on_task": same, "answerable": True, "gives_away": False, "correct": right,
                "relevance": _GOOD if same else _POOR, "diversity": _GOOD,
            }
        )  # fmt: skip


def _right_line(draft: Draft, said: str) -> bool:
    """Whether an answer ends with the right result: the option after its letter, else the last line."""
    last = said.splitlines()[-1].strip() if said else ""
    wanted = draft.output.splitlines()[-1].strip() if draft.output else ""
    return last.endswith(f") {wanted}") if draft.choices else last == wanted


def _words(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(text)]


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


__all__ = ["Corpus", "Known"]
