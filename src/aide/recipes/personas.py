"""Step 3: for each topic, personas who would ask something about it; from a model, or ranked from a bank."""

import asyncio
import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from heapq import nsmallest
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, create_model

from aide.config import resources
from aide.errors import InputError, Unusable
from aide.jsonl import parse_json
from aide.parsing import ModelPayload, ReplyModel
from aide.recipes.extraction import clean_personas
from aide.records import WHOLE, Ask, Embed, Parts, rng
from aide.text.cleaning import clean_text
from aide.text.words import list_terms
from aide.vectors import Vector, cosine, pack_vector, sign_bits

AT_ONCE: Final = 32  # texts embedded by one call: the most that a common server takes unless told otherwise
_COMPARED: Final = 8  # times as many as are wanted are compared number by number
_STEM: Final = 5  # words count as one when this many first letters agree: lawyer, lawyers


class _Personas(ReplyModel):
    personas: list[str]


@cache
def make_personas_payload(count: int) -> ModelPayload[_Personas, tuple[str, ...]]:
    """The payload of step `personas`: the schema wants exactly `count`; fewer that are usable are taken."""

    def convert(reply: _Personas) -> tuple[str, ...]:
        personas = tuple(dict.fromkeys(clean_personas(reply.personas)))
        if not personas:
            raise ValueError(f"`personas` must be a list of {count} descriptions.")
        return personas[:count]

    asked = create_model(
        "Personas",
        __base__=_Personas,
        personas=(Annotated[list[str], Field(min_length=count, max_length=count)], ...),
    )
    payload = ModelPayload("personas", _Personas, convert)
    payload.schema = ModelPayload("personas", asked, convert).schema
    return payload


@dataclass(slots=True)
class PersonaBank:
    """A list of personas that is ranked for each topic: by `embed` where there is one, else by words.

    By `embed` each takes four bytes for each number of its vector.
    """

    personas: tuple[str, ...]
    embed: Embed | None = None
    _vectors: list[Vector] = field(default_factory=list)
    _signs: list[int] = field(default_factory=list)
    _learning: asyncio.Lock = field(default_factory=asyncio.Lock)
    _weights: dict[str, float] = field(default_factory=dict)
    _words: list[frozenset[str]] = field(default_factory=list)

    async def nearest(self, topic: str, count: int) -> tuple[str, ...]:
        """Up to `count` personas, nearest to the topic first.

        By embeddings or by words, the best come in any case, equals in an order drawn from the topic. There is no least
        similarity: small embedding models put nearly every topic below any that large ones would suggest.
        """
        if self.embed is not None:
            scores = await self._by_meaning(topic, count, self.embed)
        else:
            scores = dict(enumerate(self._by_words(topic)))
        eligible = list(scores)
        rng("personas", topic).shuffle(eligible)
        eligible.sort(key=scores.__getitem__, reverse=True)  # stable: equals stay shuffled
        return tuple(self.personas[at] for at in eligible[:count])

    async def _by_meaning(self, topic: str, count: int, embed: Embed) -> dict[int, float]:
        """The cosine of those that are nearest by their signs."""
        await self._learn(embed)
        [wanted] = await embed([topic])
        mine = sign_bits(wanted)
        near = nsmallest(
            _COMPARED * count, range(len(self._signs)), key=lambda at: (self._signs[at] ^ mine).bit_count()
        )
        return {at: cosine(wanted, self._vectors[at]) for at in near}

    async def _learn(self, embed: Embed) -> None:
        """Embed the bank, once."""
        async with self._learning:
            for at in range(len(self._vectors), len(self.personas), AT_ONCE):
                found = await embed(self.personas[at : at + AT_ONCE])
                self._vectors += map(pack_vector, found)
                self._signs += map(sign_bits, found)

    def _by_words(self, topic: str) -> list[float]:
        """Sum of the inverse document frequencies of shared words."""
        if not self._words:
            self._words = [_stems(persona) for persona in self.personas]
            counts = Counter(word for words in self._words for word in words)
            self._weights = {word: math.log(len(self._words) / count) for word, count in counts.items()}
        wanted = _stems(topic)
        return [math.fsum(self._weights[word] for word in sorted(words & wanted)) for words in self._words]


async def find_personas(
    topic: str,
    count: int,
    bank: PersonaBank | None,
    ask: Ask,
    *,
    given: tuple[str, ...] | None = None,
    parts: Parts = WHOLE,
    max_output: int = 1024,
) -> tuple[str, ...]:
    """Up to `count` personas for a topic: from the bank, those `given` along with the topic, or by one call.

    A model that can't name any is no reason to lose the point: the tuple is then empty.
    """
    if count < 1 or not topic:
        return ()
    if bank is None and given:
        return given[:count]
    try:
        if bank is not None:
            return await bank.nearest(topic, count)
        return await ask(
            "personas",
            make_personas_payload(count),
            max_output=max_output,
            topic=topic,
            count=count,
            parts=parts,
            demos=(),
        )
    except Unusable:
        return ()


def load_bank(path: Path | str | None = None, embed: Embed | None = None) -> PersonaBank:
    """A bank from JSONL (objects with `persona`, or strings) or plain lines; repeats are skipped.

    Without a path it is the one that comes with the package.

    Raises:
        InputError: naming file and line, where the file can't be read, a line is broken, or nothing is in it.
    """
    path = Path(path) if path else resources.find_file("configs", "personas.jsonl")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(
            f"cannot read personas from {path}: {fault}", hint="give a UTF-8 file, one persona a line"
        ) from fault
    personas = dict.fromkeys(
        _persona(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()
    )
    if not personas:
        raise InputError(
            f"{path} holds no personas", hint="one persona a line, or JSONL with a field `persona`"
        )
    return PersonaBank(tuple(personas), embed)


def _persona(line: str, where: str) -> str:
    text: object = line
    if line.lstrip()[:1] in '{"':
        try:
            value = parse_json(line)
        except ValueError as fault:
            raise InputError(f"{where}: not valid JSON: {fault}") from fault
        text = value.get("persona") if isinstance(value, dict) else value
    if not isinstance(text, str) or not clean_text(text):
        raise InputError(f"{where}: no persona", hint='a line is {"persona": "…"} or plain text')
    return " ".join(clean_text(text).split())


def _stems(text: str) -> frozenset[str]:
    return frozenset(term[:_STEM] for term in list_terms(text))
