"""Which entries the list shows, and in which order."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from aide.errors import InputError
from aide.review.catalogue import CatalogueEntry, show_value
from aide.review.doubt import Doubt

ORDERS: Final = ("doubt", "grown", "random", "longest")
FACETS: Final = ("label", "operation", "hop", "seed", "persona", "doubt")
MOST: Final = 300
"""Values of a facet that are offered."""


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What the person asked for; empty means anything."""

    kind: str = ""
    state: str = ""
    label: str = ""
    operation: str = ""
    hop: str = ""
    seed: str = ""
    persona: str = ""
    doubt: str = ""
    text: str = ""
    order: str = "doubt"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The wish as the page sends it.

        Raises:
            InputError: a field is unknown, or no text.
        """
        known = {each.name for each in fields(cls)}
        for name, value in data.items():
            if name not in known or not isinstance(value, str):
                raise InputError(f"{name!r} is no filter")
        return cls(**data)


def list_facets(entry: CatalogueEntry, doubt: Doubt) -> dict[str, tuple[str, ...]]:
    """The values by which an entry is filtered."""
    return {
        "label": entry.labels,
        "operation": (entry.operation,),
        "hop": (str(entry.hop),),
        "seed": (entry.seed,),
        "persona": (entry.persona,),
        "doubt": doubt.reasons,
    }


def select(
    entries: Sequence[CatalogueEntry],
    wanted: QueueFilter,
    weigh: Callable[[CatalogueEntry], Doubt],
    state_of: Callable[[CatalogueEntry], str],
    read: Callable[[CatalogueEntry], Mapping[str, Any]],
) -> list[int]:
    """The numbers of the wanted entries, in the wanted order; `read` gives the line of one, for its texts."""
    chosen = {name: value for name in FACETS if (value := getattr(wanted, name))}
    words = wanted.text.casefold().split()
    found = []
    for entry in entries:
        if entry.gone or (wanted.kind and entry.kind != wanted.kind):
            continue
        if wanted.state and not _has_state(state_of(entry), wanted.state):
            continue
        if chosen:
            values = list_facets(entry, weigh(entry))
            if any(value not in values[name] for name, value in chosen.items()):
                continue
        if words and not _has_words(entry, words, read):
            continue
        found.append(entry)
    if wanted.order == "doubt":
        found.sort(key=lambda entry: (-weigh(entry).weight, entry.id))
    elif wanted.order == "random":
        found.sort(key=lambda entry: entry.id)  # ids are hashes
    elif wanted.order == "longest":
        found.sort(key=lambda entry: (-entry.length, entry.id))
    return [entry.number for entry in found]


def count_facets(
    entries: Sequence[CatalogueEntry], weigh: Callable[[CatalogueEntry], Doubt]
) -> dict[str, list[tuple[str, int]]]:
    """How often each value occurs, the most frequent first; at most `MOST` of each facet."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for entry in entries:
        if not entry.gone:
            for name, values in list_facets(entry, weigh(entry)).items():
                counts[name].update(filter(None, values))
    return {name: found.most_common(MOST) for name, found in counts.items()}


def _has_state(state: str, wanted: str) -> bool:
    return state == wanted or (wanted == "accepted" and state == "edited")


def _has_words(
    entry: CatalogueEntry, words: Sequence[str], read: Callable[[CatalogueEntry], Mapping[str, Any]]
) -> bool:
    if len(words) == 1 and entry.id.startswith(words[0]):
        return True
    line = read(entry)
    told = ("input", "output", "choices", "reasoning", "turns", "tests", "reason", "detail")
    text = "\n".join(show_value(line[name]) for name in told if name in line).casefold()
    return all(word in text for word in words)
