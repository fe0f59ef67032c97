"""Labels that a person gives, and which of them are easily taken for one another."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aide.errors import InputError
from aide.formats import Label, TaskCard
from aide.parsing import clean_text
from aide.records import Draft
from aide.text.words import list_terms

_FILE: Final = re.compile(r".*(?:[/\\]|\.(?:txt|json|tsv|csv|ya?ml|md)\Z)")


def read_labels(given: Sequence[str]) -> tuple[Label, ...]:
    """The labels behind `--labels`: names, or one file.

    A file holds one label a line, with its description after a tab or a colon and a space, or JSON: a list
    of names, a list of objects with `name` and `description`, or an object from name to description.

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
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path} can't be read: {fault}") from fault
    if text.lstrip()[:1] in {"[", "{"}:
        try:
            return _from_json(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            line = getattr(fault, "lineno", 1)
            raise InputError(
                f"{path}:{line}: is no list of labels",
                hint='write ["a", "b"], {"a": "description"} or [{"name": "a", "description": "…"}]',
            ) from fault
    return [_from_line(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _from_json(value: Any) -> list[Label]:
    if isinstance(value, dict) and "labels" in value:
        value = value["labels"]
    if isinstance(value, dict):
        return [Label(clean_text(name), clean_text(told)) for name, told in value.items()]
    return [
        Label(clean_text(item["name"]), clean_text(item.get("description") or ""))
        if isinstance(item, dict)
        else Label(clean_text(item))
        for item in value
    ]


def _from_line(line: str) -> Label:
    name, _, told = line.partition("\t") if "\t" in line else line.partition(": ")
    return Label(clean_text(name), clean_text(told))


def rank_confusable_labels(card: TaskCard, drafts: Sequence[Draft]) -> Mapping[str, tuple[str, ...]]:
    """For each label all others, the most easily confused first, by the words that they share.

    Words are those of name, description and seeds; one of a name counts three times one of a seed, and all
    count for less the more labels have them.
    """
    words = {label.name: _bag(label, drafts) for label in card.labels}
    spread = Counter(word for bag in words.values() for word in bag)

    def closeness(one: str, other: str) -> float:
        mine, theirs = words[one], words[other]
        shared = sum(min(mine[word], theirs[word]) / spread[word] for word in mine.keys() & theirs.keys())
        either = sum(
            max(mine.get(word, 0), theirs.get(word, 0)) / spread[word] for word in mine.keys() | theirs.keys()
        )
        return shared / either if either else 0.0

    names = card.label_names
    return {
        name: tuple(
            sorted(
                (other for other in names if other != name),
                key=lambda other: (-closeness(name, other), other),
            )
        )
        for name in names
    }


def _bag(label: Label, drafts: Sequence[Draft]) -> dict[str, float]:
    bag: dict[str, float] = {}
    for draft in drafts:
        if draft.output == label.name:
            bag.update(dict.fromkeys(list_terms(draft.input), 1.0))
    bag.update(dict.fromkeys(list_terms(label.description), 2.0))
    bag.update(dict.fromkeys(list_terms(label.name), 3.0))
    return bag
