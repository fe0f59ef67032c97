"""Fields of a record on disk by the names that a person types: `scores.relevance`, or `relevance` alone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from aide.records.content import CONTENT, REASONING_MARKS
from aide.records.results import Lineage, Record
from aide.records.tree import Triple
from aide.text.suggestions import suggest_name

_OUTER: Final = (("scores",), ("lineage",), ("lineage", "way"))
_SCORES: Final = (
    "relevance", "diversity", "correct", "agreement", "second_answer", "fault", "difficulty", "label_shares",
)  # fmt: skip
# A record lacks what is empty in it. These names are right even where no record has such a field.
_KNOWN: Final = frozenset({
    *CONTENT, *REASONING_MARKS, *_SCORES, *(each.name for kind in (Record, Lineage, Triple) for each in fields(kind)),
})  # fmt: skip


def read_path(record: Mapping[str, Any], path: Iterable[str]) -> Any:
    """The value at a path of names; `None` if there is none."""
    value: Any = record
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def look_up_field(record: Mapping[str, Any], name: str) -> Any:
    """A field by its name: dots lead into objects; a bare name may also be in `scores`, `lineage` or `lineage.way`."""
    found = read_path(record, name.split("."))
    # `--min relevance=7` is what people type; the record's own fields go first.
    for outer in _OUTER:
        if found is None and "." not in name:
            found = read_path(record, (*outer, name))
    return found


def explain_unknown_field(name: str, example: Mapping[str, Any]) -> str:
    """What a field that no record has may have meant, to follow its name; `example` is one of the records."""
    names = list(_list_names(example))
    inner = {each.rpartition(".")[2]: each for each in reversed(names)}
    return suggest_name(name, [*names, *inner]) or suggest_name(name.rpartition(".")[2], inner)


def is_known_field(name: str) -> bool:
    """True when records may have a field of this name, though many lack it."""
    parts = name.split(".")
    return parts[-1] in _KNOWN or "traits" in parts[:-1]


def _list_names(record: Mapping[str, Any], outer: str = "") -> Iterator[str]:
    for name, value in record.items():
        yield f"{outer}{name}"
        if isinstance(value, Mapping):
            yield from _list_names(value, f"{outer}{name}.")
