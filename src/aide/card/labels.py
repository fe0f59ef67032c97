"""Labels that a person gives, and which of them are easily taken for one another."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import fsum
from pathlib import Path
from typing import Any, Final

from aide.errors import InputError
from aide.formats import Label, TaskCard
from aide.jsonl import parse_json
from aide.records import Draft
from aide.text.cleaning import clean_text
from aide.text.words import list_terms

_FILE: Final = re.compile(r".*(?:[/\\]|\.(?:txt|json|tsv|csv|ya?ml|md)\Z)")


def read_labels(given: Sequence[str]) -> tuple[Label, ...]:
    """The labels behind `--labels`: names, or one file.

    A file holds one label a line, with its description after a tab or a colon and a space, or JSON: a list of names, a
    list of objects with `name` and `description`, or an object from name to description.

    Raises:
        InputError: no such file, nonsense in it, a name twice, or fewer than two labels.
    """
    if not given:
        return ()
    path = Path(given[0])
    if len(given) == 1 and path.is_file():
        labels = _from_file(path)
    elif len(given) == 1 and _FILE.match(given[0]):
        raise InputError(
            f"there is no file {path}", hint="--labels takes names, A,B,…, or a file with one a line"
        )
    else:
        labels = [Label(name.strip()) for name in given if name.strip()]
    counts = Counter(label.name for label in labels)
    if twice := [name for name, times in counts.items() if times > 1]:
        raise InputError(f"the label {twice[0]!r} is given twice", hint="labels must differ")
    if len(labels) < 2:
        raise InputError("a set of labels needs at least two", hint="such as --labels refund,delivery,other")
    return tuple(labels)


def _from_file(path: Path) -> list[Label]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets write a byte order mark
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path} can't be read: {fault}") from fault
    if text.lstrip()[:1] in {"[", "{"}:
        try:
            return _from_json(parse_json(text))
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            line = getattr(fault, "lineno", 1)
            raise InputError(
                f"{path}:{line}: is no list of labels",
                hint='write ["a", "b"], {"a": "description"} or [{"name": "a", "description": "…"}]',
            ) from fault
    return [_from_line(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _from_json(value: Any) -> list[Label]:
    if isinstance(value, dict):
        value = value.get("labels", value)
    if isinstance(value, dict):
        return [_make_label(name, description) for name, description in value.items()]
    return [
        _make_label(item["name"], item.get("description")) if isinstance(item, dict) else _make_label(item)
        for item in value
    ]


def _from_line(line: str) -> Label:
    name, _, description = line.partition("\t") if "\t" in line else line.partition(": ")
    return _make_label(name, description)


def _make_label(name: str, description: str | None = "") -> Label:
    return Label(clean_text(name), clean_text(description or ""))


def rank_confusable_labels(card: TaskCard, drafts: Sequence[Draft]) -> Mapping[str, tuple[str, ...]]:
    """For each label all others, the most easily confused first: those that the card names, then by shared words.

    Words are those of name, description and seeds. One of a name counts three times one of a seed, for a person chose
    it to tell what the label is; all count for less the more labels have them.
    """
    named = {label.name: label.near for label in card.labels}
    weights = {label.name: _weigh_terms(label, drafts) for label in card.labels}
    spread = Counter(term for each in weights.values() for term in each)

    def closeness(one: str, other: str) -> float:
        """The weighted Jaccard similarity of two labels' words."""
        pairs = [
            (weights[one].get(term, 0.0) / spread[term], weights[other].get(term, 0.0) / spread[term])
            for term in weights[one].keys() | weights[other].keys()
        ]
        # Sets of strings have another order in each process: only `fsum` gives the same sum, and so the same prompts.
        return fsum(map(min, pairs)) / (fsum(map(max, pairs)) or 1)

    return {
        name: tuple(
            sorted(
                set(card.label_names) - {name},
                key=lambda other: (other not in named[name], -closeness(name, other), other),
            )
        )
        for name in card.label_names
    }


def _weigh_terms(label: Label, drafts: Sequence[Draft]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for draft in drafts:
        if draft.output == label.name:
            weights.update(dict.fromkeys(list_terms(draft.input), 1.0))
    weights.update(dict.fromkeys(list_terms(label.description), 2.0))
    weights.update(dict.fromkeys(list_terms(label.name), 3.0))
    return weights
