"""Steps 1 and 1b: what a data point is about, as triples (topic, relation, attribute).

The schema asks for exactly n triples; what comes is cleaned, and fewer that are good are enough.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field, create_model

from aide.errors import Unusable
from aide.parsing import ModelPayload, ReplyModel, parse_json
from aide.records import Triple

_WORDS_AT_MOST: Final = 5
_LETTERS_AT_MOST: Final = 60
_TOPIC_WORDS_AT_MOST: Final = 10
_NAME_AT_MOST: Final = (
    100  # letters, of a schema: where a model falls into a loop inside a string, that ends it
)
_PERSONA_AT_MOST: Final = 240
_EDGES: Final = " \t\n\"'`´“”„‟«»‹›‘’*_.,;:!?()[]{}<>|•·–—-"
_UNSPACED_PERSONA: Final = 20  # letters: in a script without spaces a description is one "word"
_SPARE: Final = 3  # more than asked for are read, too, and cut off after cleaning


class _Tie(ReplyModel):
    """One attribute, and the relation that ties it to the topic."""

    relation: str = ""
    attribute: str


class _Ties(ReplyModel):
    """What is asked about a known topic."""

    triples: list[_Tie]


class _Topic(ReplyModel):
    """What is asked about a text."""

    topic: str
    triples: list[_Tie]


_Asked: TypeAlias = _Ties | _Topic


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a model named: the topic (empty after graph expansion) and pairs (relation, attribute)."""

    topic: str
    ties: tuple[tuple[str, str], ...]


class TriplesPayload(ModelPayload[_Asked, Extraction]):
    """Triples asked of a model: its schema wants exactly `count`, reading forgives more or fewer."""

    __slots__ = ()

    def __init__(self, name: str, shape: type[_Asked], count: int) -> None:
        asked, read = _bounded(shape, count, count), _bounded(shape, 1, count * _SPARE)
        super().__init__(name, read, _found(count))
        self.schema = ModelPayload(name, asked, _found(count)).schema


@cache
def make_extraction_payload(attributes: int) -> TriplesPayload:
    """The payload of step `extract`: a topic and that many attributes with their relations."""
    return TriplesPayload("triples", _Topic, attributes)


class PlantPayload:
    """Topic, triples and personas from one answer: (extraction, personas)."""

    name = "plant"

    def __init__(self, triples: int, personas: int) -> None:
        self._triples = make_extraction_payload(triples) if triples else None
        self._personas = personas
        name = {"type": "string", "maxLength": _NAME_AT_MOST}
        tie = {"relation": name, "attribute": name}
        fields: dict[str, Any] = {"topic": name}
        if triples:
            item = {"type": "object", "properties": tie, "required": list(tie), "additionalProperties": False}
            fields["triples"] = {"type": "array", "items": item, "minItems": triples, "maxItems": triples}
        if personas:
            each = {"type": "string", "maxLength": _PERSONA_AT_MOST}
            texts = {"type": "array", "items": each, "minItems": personas, "maxItems": personas}
            fields["personas"] = texts
        self.schema: Mapping[str, Any] | None = {
            "type": "object", "properties": fields, "required": list(fields), "additionalProperties": False,
        }  # fmt: skip

    def read(self, text: str) -> tuple[Extraction, tuple[str, ...]]:
        """What was named; raises `Unusable` where the triples, or all personas, are missing."""
        value = parse_json(text)
        if not isinstance(value, Mapping):
            raise Unusable("invalid", "Write one JSON object with the keys that were asked for.", said=text)
        if self._triples is not None:
            found = self._triples.read(text)
        else:
            found = Extraction(normalise_name(str(value.get("topic", "")), _TOPIC_WORDS_AT_MOST), ())
        said = value.get("personas")
        personas = tuple(dict.fromkeys(clean_personas(said if isinstance(said, list) else [])))[
            : self._personas
        ]
        if self._personas and not personas and self._triples is None:
            raise Unusable("invalid", f'"personas" must be a list of {self._personas} strings.', said=text)
        return found, personas


def clean_personas(said: Iterable[object]) -> list[str]:
    """Personas on one line each; a single word describes nobody."""
    lines = (_one_line(each) for each in said if isinstance(each, str))
    return [line for line in lines if len(line.split()) > 1 or len(line) > _UNSPACED_PERSONA]


@cache
def make_plant_payload(triples: int, personas: int) -> PlantPayload:
    """The payload of step `extract` where one answer holds all."""
    return PlantPayload(triples, personas)


@cache
def make_graph_payload(more: int) -> TriplesPayload:
    """The payload of step `expand_graph`: that many further attributes of a known topic."""
    return TriplesPayload("more_triples", _Ties, more)


def normalise_triples(
    found: Extraction, *, topic: str = "", known: Iterable[Triple] = ()
) -> tuple[Triple, ...]:
    """Triples with normalised attributes; none that repeats another, one of `known`, or the topic.

    `topic` stands in for the one that graph expansion does not name.
    """
    about = normalise_name(topic or found.topic, _TOPIC_WORDS_AT_MOST)
    taken = {_key(triple.attribute) for triple in known} | {_key(about), ""}
    triples = []
    for relation, name in found.ties:
        attribute = normalise_name(name)
        if (key := _key(attribute)) not in taken:
            taken.add(key)
            triples.append(Triple(about, _one_line(relation).strip(_EDGES) or "involves", attribute))
    return tuple(triples)


def normalise_name(name: str, words_at_most: int = _WORDS_AT_MOST) -> str:
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


def _bounded(shape: type[_Asked], least: int, most: int) -> type[_Asked]:
    ties = Annotated[list[_Tie], Field(min_length=least, max_length=most)]
    return create_model(shape.__name__, __base__=shape, triples=(ties, ...))


def _found(count: int) -> Callable[[_Asked], Extraction]:
    """Cut to `count` triples; `ValueError` with a sentence for the model where none is usable."""

    def convert(reply: _Asked) -> Extraction:
        topic = normalise_name(reply.topic, _TOPIC_WORDS_AT_MOST) if isinstance(reply, _Topic) else ""
        if isinstance(reply, _Topic) and not _key(topic):
            raise ValueError("`topic` must name what the text is about in one to four words.")
        clean = normalise_triples(
            Extraction(topic, tuple((tie.relation, tie.attribute) for tie in reply.triples))
        )
        if not clean:
            raise ValueError("Every `attribute` must be one or two words that do not repeat the topic.")
        return Extraction(topic, tuple((triple.relation, triple.attribute) for triple in clean[:count]))

    return convert
