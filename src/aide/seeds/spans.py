"""Marked passages: spans with offsets, tokens with tags, SQuAD's answers, read as quotes and written back.

In a seed they are JSON: a list of `text`, `label`, `start` and `end`, or of a question the `answer` that stands in its
context. Places are counted in characters, the end behind the last one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from aide.formats.quotes import OCCURRENCE, count_occurrence, find_places
from aide.seeds.values import BadRowError
from aide.text.cleaning import clean_text

TOKENS: Final = ("tokens", "words")
TAGS: Final = ("ner_tags", "tags", "ner", "labels", "entities")
SPANS: Final = ("spans", "entities", "label", "labels", "annotations", "ner")
_START: Final = ("start", "begin", "start_offset", "start_char")
_END: Final = ("end", "stop", "end_offset", "end_char")
_LABEL: Final = ("label", "type", "tag", "entity", "entity_group", "class")
_NO_SPACE_BEFORE: Final = re.compile(r"[.,;:!?%)\]}’]|'(?:s|re|ve|ll|d|m)|n't|'", re.IGNORECASE)
_NO_SPACE_AFTER: Final = ("(", "[", "{", "$", "£", "#", "@")
_TOKEN: Final = re.compile(r"\w+(?:[-.,/]\w+)*|'\w+|[^\w\s]")

Span = dict[str, Any]


def find_tokens(row: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, str]:
    """The columns of tokens and tags; empty where there are none. `names` leads from folded names to real ones."""
    tokens = next((names[name] for name in TOKENS if name in names), "")
    for name in TAGS:
        if tokens and names.get(name, tokens) != tokens and are_tokens(row[tokens], row[names[name]]):
            return tokens, names[name]
    return "", ""


def find_spans(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The column of marked passages; empty where there is none."""
    return next((names[name] for name in SPANS if name in names and is_span_list(row[names[name]])), "")


def is_span_list(value: Any) -> bool:
    """True for a list, not empty, of `[start, end, label]` or of objects with a start, an end and a label."""
    return isinstance(value, list) and bool(value) and all(_read_span(each) is not None for each in value)


def _read_span(value: Any) -> tuple[int, int, str] | None:
    if isinstance(value, Mapping):
        value = [
            next((value[name] for name in names if name in value), None) for names in (_START, _END, _LABEL)
        ]
    if not isinstance(value, list | tuple) or len(value) != 3:
        return None
    start, end, label = value
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        return None
    return start, end, label


def read_spans(text: str, spans: Sequence[Any]) -> list[Span]:
    """The marked passages of a text as it stands in the file, with their places in the text as it is cleaned.

    Raises:
        BadRowError: a span lies outside of its text, or is empty.
    """
    clean, found = clean_text(text), []
    for span in sorted((each for value in spans if (each := _read_span(value))), key=lambda each: each[:2]):
        start, end, label = span
        if not 0 <= start < end <= len(text):
            raise BadRowError(f"has a span {start} to {end} in a text of {len(text)} characters")
        quote = text[start:end]
        if clean != text:
            before = text.count(quote, 0, start)
            start = -1
            for _ in range(before + 1):
                start = clean.find(quote, start + 1)
            if start < 0:
                raise BadRowError(f"has a span on {quote!r}, which is no text")
        found.append({"text": quote, "label": label, "start": start, "end": start + len(quote)})
    return found


def write_spans(sample: Any, spans: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Passages in the way of the seed file's first row: triples, or objects under its names."""
    first = sample[0] if isinstance(sample, list) and sample else None
    if not isinstance(first, Mapping):
        return [[span["start"], span["end"], span["label"]] for span in spans]
    names = {
        role: next((name for name in known if name in first), role)
        for role, known in (("start", _START), ("end", _END), ("label", _LABEL))
    }
    extra = ["text"] if "text" in first else []
    order = [name for name in first if name in (*names.values(), *extra)]
    roles = {name: role for role, name in names.items()}
    return [{name: span[roles.get(name, name)] for name in order} for span in spans]


# --- tokens and tags ------------------------------------------------------------------------------------


def name_tags(row: Mapping[str, Any], labels: Sequence[str]) -> Mapping[str, Any]:
    """The row with names in place of numbers of tags, which count from 0 in the order of `labels`."""
    if not labels:
        return row
    names = {name.strip().casefold(): name for name in row}
    for column in (names[tag] for tag in TAGS if tag in names):
        tags = row[column]
        if (
            isinstance(tags, list)
            and tags
            and all(type(tag) is int and 0 <= tag < len(labels) for tag in tags)
        ):
            return {**row, column: [labels[tag] for tag in tags]}
    return row


def are_tokens(tokens: Any, tags: Any) -> bool:
    """True for a list of words and as many tags."""
    return (
        isinstance(tokens, list) and isinstance(tags, list) and len(tokens) == len(tags) > 0
        and all(isinstance(each, str) for each in tokens) and all(isinstance(each, str | int) for each in tags)
    )  # fmt: skip


def read_tokens(tokens: Sequence[str], tags: Sequence[Any]) -> tuple[str, list[Span]]:
    """The text that the tokens make up, written as people write, and its marked passages.

    Tags are names with `B-`, `I-` (also `E-`, `S-`, `L-`, `U-`) in front, or bare ones; `O` is none.

    Raises:
        BadRowError: the tags are numbers, whose names stand elsewhere.
    """
    if any(not isinstance(tag, str) for tag in tags):
        raise BadRowError("has tags that are numbers without names; give these in order: --labels O,B-PER,…")
    text, places = _join_tokens(tokens)
    spans: list[Span] = []
    open_label = ""
    for (start, end), tag in zip(places, tags, strict=True):
        mark, _, label = tag.partition("-") if tag[1:2] == "-" else ("", "", tag)
        if tag in ("O", "") or not label:
            open_label = ""
            continue
        goes_on = mark not in ("B", "S", "U") and label == open_label
        if goes_on:
            spans[-1] |= {"text": text[spans[-1]["start"] : end], "end": end}
        else:
            spans.append({"text": text[start:end], "label": label, "start": start, "end": end})
        open_label = "" if mark in ("E", "S", "L", "U") else label
    return text, spans


def _join_tokens(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    text, places, quoted, glued = "", [], False, True
    for token in (each.strip() or "_" for each in tokens):
        mark = token in ('"', "``", "''")
        closing = mark and quoted
        if text and not glued and not closing and not _NO_SPACE_BEFORE.fullmatch(token):
            text += " "
        places.append((len(text), len(text) + len(token)))
        text += token
        glued = token in _NO_SPACE_AFTER or (mark and not quoted)
        quoted = quoted != mark
    return text, places


def write_tokens(
    text: str, spans: Sequence[Mapping[str, Any]], sample: Sequence[Any]
) -> tuple[list[str], list[str]]:
    """The tokens of a text and their tags, marked as those of the sample are: `B-`, `I-`, or bare names."""
    edges = {edge for span in spans for edge in (span["start"], span["end"])}
    tokens = [place for match in _TOKEN.finditer(text) for place in _cut(match.span(), edges)]
    bare = not any(isinstance(tag, str) and tag[1:2] == "-" for tag in sample) and any(
        tag not in ("O", "") for tag in sample
    )
    tags = []
    for start, end in tokens:
        span = next((each for each in spans if each["start"] <= start and end <= each["end"]), None)
        if span is None:
            tags.append("O")
        else:
            begins = not any(span["start"] <= at < start for at, _ in tokens)
            tags.append(span["label"] if bare else f"{'B' if begins else 'I'}-{span['label']}")
    return [text[start:end] for start, end in tokens], tags


def _cut(place: tuple[int, int], edges: Iterable[int]) -> list[tuple[int, int]]:
    """A token in pieces, where a passage begins or ends within it."""
    start, end = place
    inner = sorted(edge for edge in edges if start < edge < end)
    points = [start, *inner, end]
    return list(pairwise(points))


# --- questions about a context --------------------------------------------------------------------------


def is_squad_answer(value: Any) -> bool:
    """True for `{"text": […], "answer_start": […]}`."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("answer_start"), list)
        and isinstance(value.get("text"), list)
    )


def read_squad_answer(context: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The first answer as a quote of the context, with the number of its occurrence.

    A question without an answer in the context has `null`.

    Raises:
        BadRowError: the answer does not stand where it should.
    """
    texts, starts = answers["text"], answers["answer_start"]
    if not texts:
        return {"answer": None}
    quote, start = str(texts[0]), starts[0] if starts else -1
    if type(start) is not int or context[start : start + len(quote)] != quote or not quote.strip():
        raise BadRowError(f"has an answer {quote[:40]!r} that does not stand at its answer_start")
    return {"answer": quote, OCCURRENCE: max(1, count_occurrence(quote, context, start))}


def write_squad_answer(context: str, answer: Any) -> dict[str, Any]:
    """The answer as SQuAD has it, its place in the context found by a search."""
    quote = answer.get("answer") if isinstance(answer, Mapping) else None
    if not isinstance(quote, str) or not quote:
        return {"text": [], "answer_start": []}
    places = find_places(quote, context) or [(-1, -1)]
    which = answer.get(OCCURRENCE)
    at = which - 1 if isinstance(which, int) and 0 < which <= len(places) else 0
    return {"text": [quote], "answer_start": [places[at][0]]}
