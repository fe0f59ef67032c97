"""Steps 1 and 1b: what a data point is about, as triples (topic, relation, attribute).

The schema asks for exactly n triples; what comes is cleaned, and fewer that are good are enough.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Final

from pydantic import BaseModel, Field, create_model

from aide.parsing import ModelPayload, Reply
from aide.records import Triple

_WORDS_AT_MOST: Final = 5
_LETTERS_AT_MOST: Final = 60
_TOPIC_WORDS_AT_MOST: Final = 10
_EDGES: Final = " \t\n\"'`´“”„‟«»‹›‘’*_.,;:!?()[]{}<>|•·–—-"
_SPARE: Final = 3  # more than asked for are read, too, and cut off after cleaning


class _Tie(Reply):
    """One attribute, and the relation that ties it to the topic."""

    relation: str = ""
    attribute: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a model named: the topic (empty after graph expansion) and pairs (relation, attribute)."""

    topic: str
    ties: tuple[tuple[str, str], ...]


class Triples(ModelPayload[BaseModel, Found]):
    """Triples asked of a model: its schema wants exactly `count`, reading forgives more or fewer."""

    __slots__ = ()

    def __init__(self, name: str, fields: dict[str, type], count: int) -> None:
        asked, read = _model(fields, count, count), _model(fields, 1, count * _SPARE)
        super().__init__(name, read, _found(count))
        self.schema = ModelPayload(name, asked, _found(count)).schema


@cache
def extraction(attributes: int) -> Triples:
    """The payload of step `extract`: a topic and that many attributes with their relations."""
    return Triples("triples", {"topic": str}, attributes)


@cache
def more_triples(more: int) -> Triples:
    """The payload of step `expand_graph`: that many further attributes of a known topic."""
    return Triples("more_triples", {}, more)


def triples_from(found: Found, *, topic: str = "", known: Iterable[Triple] = ()) -> tuple[Triple, ...]:
    """Triples with normalised attributes; none that repeats another, one of `known`, or the topic.

    `topic` stands in for the one that graph expansion does not name.
    """
    about = normalise(topic or found.topic, _TOPIC_WORDS_AT_MOST)
    taken = {_key(triple.attribute) for triple in known} | {_key(about), ""}
    triples = []
    for relation, name in found.ties:
        attribute = normalise(name)
        if (key := _key(attribute)) not in taken:
            taken.add(key)
            triples.append(Triple(about, _one_line(relation).strip(_EDGES) or "involves", attribute))
    return tuple(triples)


def normalise(name: str, words_at_most: int = _WORDS_AT_MOST) -> str:
    """`name` on one line, without quotes and punctuation around it; empty where it is a sentence."""
    name = _one_line(name).strip(_EDGES)
    too_long = len(name.split()) > words_at_most or len(name) > _LETTERS_AT_MOST
    return "" if too_long else name


def _key(name: str) -> str:
    """By what two names are the same: letters and digits, without case, hyphens and spaces."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LNMS")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _model(fields: dict[str, type], least: int, most: int) -> type[BaseModel]:
    ties = Annotated[list[_Tie], Field(min_length=least, max_length=most)]
    columns = {name: (kind, ...) for name, kind in fields.items()}
    return create_model("Triples", __base__=Reply, **columns, triples=(ties, ...))  # type: ignore[call-overload,no-any-return]


def _found(count: int) -> Callable[[BaseModel], Found]:
    """Cut to `count` triples; `ValueError` with a sentence for the model where none is usable."""

    def convert(reply: BaseModel) -> Found:
        ties: Sequence[_Tie] = reply.triples  # type: ignore[attr-defined]
        named_topic = "topic" in type(reply).model_fields
        topic = normalise(reply.topic, _TOPIC_WORDS_AT_MOST) if named_topic else ""  # type: ignore[attr-defined]
        if named_topic and not _key(topic):
            raise ValueError("`topic` must name what the text is about in one to four words.")
        clean = triples_from(Found(topic, tuple((tie.relation, tie.attribute) for tie in ties)))
        if not clean:
            raise ValueError("Every `attribute` must be one or two words that do not repeat the topic.")
        return Found(topic, tuple((triple.relation, triple.attribute) for triple in clean[:count]))

    return convert
