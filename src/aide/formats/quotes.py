"""Quotes in structured answers: strings that stand in the text word for word, and the places that code finds for them.

A model copies words well and counts characters badly. So it is asked for the words and, where these stand in the text
several times, for which of them is meant; start and end are found by a search.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aide.errors import Unusable
from aide.text.words import count_unspaced

QUOTE: Final = "x-quote"
"""Keyword of a schema: the string stands in the text word for word; a name says in which part of the input."""
OFFSET: Final = "x-offset"
"""Keyword of a schema: the number is the `start` or the `end` of the quote beside it, in characters."""
OCCURRENCE: Final = "occurrence"
"""Key of the number that says which of several occurrences of a quote is meant, counted from 1."""

# One character each, so that a place in the folded text is the same place in the text.
_PLAIN: Final = str.maketrans("‘’‚“”„«»–—\u00a0", '\'\'\'"""""-- ')
_MOST_PLACES: Final = 1000


def stands_in(quote: str, text: str) -> bool:
    """True when `quote` stands in `text` word for word, as words of its own."""
    return bool(quote.strip()) and next(_find_exact(quote, text), None) is not None


def find_places(quote: str, text: str) -> list[tuple[int, int]]:
    """Start and end of each occurrence of a quote, in characters: as words of their own, else wherever it stands.

    Where it does not stand there letter by letter, spaces, quotation marks, dashes and case may differ.
    """
    if not quote.strip():
        return []
    for whole in (True, False):
        if exact := [(at, at + len(quote)) for at in _find_exact(quote, text, whole=whole)]:
            return exact
    pattern = re.compile(r"\s+".join(map(re.escape, quote.translate(_PLAIN).split())), re.IGNORECASE)
    return [match.span() for match in pattern.finditer(text.translate(_PLAIN))][:_MOST_PLACES]


def _find_exact(quote: str, text: str, *, whole: bool = True) -> Iterator[int]:
    """Where the quote begins; if `whole`, not within a word, in scripts that set words apart."""
    at = text.find(quote)
    for _ in range(_MOST_PLACES):
        if at < 0:
            return
        before, after = text[max(0, at - 1) : at], text[at + len(quote) :][:1]
        if not whole or not (_joins(before, quote[0]) or _joins(quote[-1], after)):
            yield at
        at = text.find(quote, at + 1)


def _joins(left: str, right: str) -> bool:
    return left.isalnum() and right.isalnum() and not count_unspaced(left + right)


def count_occurrence(quote: str, text: str, start: int) -> int:
    """Which occurrence of the quote begins at `start`, from 1; 0 where none does."""
    starts = [at for at, _ in find_places(quote, text)]
    return starts.index(start) + 1 if start in starts else 0


def locate_quotes(value: Any, schema: Mapping[str, Any], texts: Mapping[str, str]) -> Any:
    """A model's answer with every quote as it stands in the text, and with the places that the schema wants.

    A quote is looked for in the part of the input that its schema names, else in each of `texts` in turn.

    Raises:
        Unusable: with the reason `quote_missing`.
    """
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        found = [locate_quotes(each, schema["items"], texts) for each in value]
        start = next(iter(list_offsets(schema["items"], "start")), "")
        if start and all(isinstance(each, dict) and isinstance(each.get(start), int) for each in found):
            found.sort(key=lambda each: int(each[start]))
        return found
    if isinstance(value, str) and schema.get(QUOTE):
        return _locate(value, 1, _choose_texts(schema, texts))[0]
    if not isinstance(value, dict) or not isinstance(schema.get("properties"), Mapping):
        return value
    properties: Mapping[str, Any] = schema["properties"]
    quotes = [name for name, each in properties.items() if each.get(QUOTE)]
    starts, ends = list_offsets(schema, "start"), list_offsets(schema, "end")
    said = value.get(OCCURRENCE)
    which = said if isinstance(said, int) and not isinstance(said, bool) else 1
    done = {name: each for name, each in value.items() if name not in (*starts, *ends)}
    if OCCURRENCE not in properties:
        done.pop(OCCURRENCE, None)
    for name in list(done):
        if name in quotes and isinstance(done[name], str):
            where = _choose_texts(properties[name], texts)
            done[name], place = _locate(done[name], which if name == quotes[0] else 1, where)
            if name == quotes[0] and place is not None:
                done |= dict.fromkeys(starts, place[0]) | dict.fromkeys(ends, place[1])
        elif name in properties:
            done[name] = locate_quotes(done[name], properties[name], texts)
    ordered = {name: done[name] for name in properties if name in done}
    return {**ordered, **{name: each for name, each in done.items() if name not in ordered}}


def list_offsets(schema: Mapping[str, Any], side: str) -> list[str]:
    """The properties of an object that are the `start` or the `end` of its quote."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return []
    return [
        name for name, each in properties.items() if isinstance(each, Mapping) and each.get(OFFSET) == side
    ]


def _choose_texts(schema: Mapping[str, Any], texts: Mapping[str, str]) -> Sequence[str]:
    named = schema.get(QUOTE)
    return [texts[named]] if isinstance(named, str) and named in texts else list(texts.values())


def _locate(quote: str, which: int, texts: Sequence[str]) -> tuple[str, tuple[int, int] | None]:
    if not quote.strip():
        return quote, None
    for text in texts:
        places = find_places(quote, text)
        if not places:
            continue
        if not 1 <= which <= len(places):
            raise Unusable(
                "quote_missing",
                f'"{quote[:80]}" stands in the text {len(places)} times, so its occurrence can\'t be {which}.',
                said=quote,
            )
        start, end = places[which - 1]
        return text[start:end], (start, end)
    raise Unusable(
        "quote_missing", f'"{quote[:80]}" does not stand in the text; copy it word for word.', said=quote
    )


def find_quote_fault(value: Any, schema: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """Which quote does not stand in the text, or not at its place, in a sentence; empty where all do."""
    try:
        located = locate_quotes(_name_occurrences(value, schema, texts), schema, texts)
    except Unusable as fault:
        return fault.problem
    return "" if located == value else "A quote differs from the text, or its place is another."


def _name_occurrences(value: Any, schema: Mapping[str, Any], texts: Mapping[str, str]) -> Any:
    """The answer as a model gives it: in place of offsets the number of the occurrence that they name."""
    if isinstance(value, list):
        return [_name_occurrences(each, schema.get("items") or {}, texts) for each in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties") or {}
    starts = list_offsets(schema, "start")
    quote = next((name for name, each in properties.items() if each.get(QUOTE)), "")
    done = {name: _name_occurrences(each, properties.get(name) or {}, texts) for name, each in value.items()}
    if starts and isinstance(value.get(quote), str) and isinstance(value.get(starts[0]), int):
        counts = (count_occurrence(value[quote], text, value[starts[0]]) for text in texts.values())
        done[OCCURRENCE] = next(filter(None, counts), 0)
    return done


def drop_places(value: Any, text: str) -> Any:
    """An answer without the places of its quotes, which a model is not to count; later occurrences are numbered.

    Places are told by what they are: numbers beside a string at which that string stands in `text`.
    """
    if isinstance(value, list):
        return [drop_places(each, text) for each in value]
    if not isinstance(value, dict):
        return value
    found = find_offsets(value, text)
    if found is None:
        return {name: drop_places(each, text) for name, each in value.items()}
    quote, starts, ends = found
    done: dict[str, Any] = {}
    for name, each in value.items():
        if name in starts or name in ends:
            continue
        done[name] = drop_places(each, text)
        if name == quote:
            done[OCCURRENCE] = count_occurrence(each, text, value[starts[0]])
    return done


def find_offsets(value: Mapping[str, Any], text: str) -> tuple[str, list[str], list[str]] | None:
    """The quote of an object and the keys of its start and end; `None` where it has no such place."""
    numbers = {n: v for n, v in value.items() if isinstance(v, int) and not isinstance(v, bool)}
    for quote, said in value.items():
        if not isinstance(said, str) or not said.strip():
            continue
        starts = [name for name, at in numbers.items() if at >= 0 and text[at : at + len(said)] == said]
        starts = [name for name in starts if count_occurrence(said, text, numbers[name])]
        ends = [
            name for name, at in numbers.items()
            if name not in starts and any(at == numbers[start] + len(said) for start in starts)
        ]  # fmt: skip
        if starts and (ends or starts[0].casefold() in _STARTS):
            return quote, starts[:1], ends[:1]
    return None


_STARTS: Final = (
    "start",
    "begin",
    "offset",
    "answer_start",
    "start_offset",
    "start_char",
    "char_start",
    "from",
)
