"""Which traits the texts of a set have, such as being a question, beside those of a reference.

A trait is whatever a function counts in a text; those of the project are listed in `card.traits`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

from aide.card.traits import TRAITS, count_traits
from aide.formats import Format
from aide.metrics.references import with_article
from aide.metrics.shares import Share, differs, format_percent
from aide.records import Draft

_TOLD: Final = 3  # differences in a sentence: with more of them nobody reads the last
_HIGHEST: Final = (
    5  # counts from here on are one value: ten seeds tell nothing about how often there are nine numbers
)


_LENGTHS: Final = ("length", "longest_option")


class CountTraits(Protocol):
    """What counts the traits of an example."""

    def __call__(self, draft: Draft, /) -> Mapping[str, bool | int | str]:
        """Each trait's value by a name that a table can show."""
        ...


def count_no_traits(draft: Draft, /) -> Mapping[str, bool | int | str]:
    """For texts of which nothing is counted but their words."""
    return {}


def make_trait_counter(unit: str, format: Format) -> CountTraits:
    """What counts the traits of `card.traits` but lengths, which have a meter of their own."""
    titles = {each.name: each.metadata["trait"].title for each in TRAITS if each.name not in _LENGTHS}

    def count(draft: Draft, /) -> Mapping[str, bool | int | str]:
        traits = count_traits(draft, unit, format)
        return {title: getattr(traits, name) for name, title in titles.items()}

    return count


@dataclass(slots=True)
class TraitCounts:
    """How many texts have which value of each trait; fed one at a time."""

    texts: int = 0
    values: dict[str, Counter[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Iterable[Mapping[str, bool | int | str]]) -> Self:
        """The counts of texts whose traits these are."""
        counts = cls()
        for each in found:
            counts.add(each)
        return counts

    def add(self, traits: Mapping[str, bool | int | str]) -> None:
        """Count the traits of a text."""
        self.texts += 1
        for name, value in traits.items():
            self.values.setdefault(name, Counter())[spell_value(value)] += 1

    def share(self, name: str, value: str) -> Share:
        """How many texts have this value."""
        return Share(self.values.get(name, Counter())[value], self.texts)


def spell_value(value: bool | int | str) -> str:
    """A trait's value as a table shows it: `yes`, `3`, `5+`, `question`, `none`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if value < _HIGHEST else f"{_HIGHEST}+"
    return value or "none"


@dataclass(frozen=True, slots=True)
class TraitShare:
    """One value of one trait in a set and in a reference."""

    name: str
    value: str
    these: Share
    those: Share

    @property
    def label(self) -> str:
        """The trait and its value in words: `greeting`, `no greeting`, `form question`."""
        return {"yes": self.name, "no": f"no {self.name}"}.get(self.value, f"{self.name} {self.value}")

    @property
    def gap(self) -> float:
        """How far the two shares are apart, rounded so that `yes` and `no` are equally far."""
        return round(abs(self.these.value - self.those.value), 9)


@dataclass(frozen=True, slots=True)
class TraitComparison:
    """The traits of a set beside those of a reference."""

    shares: tuple[TraitShare, ...]
    """All values of all traits that a text of either has; of traits that all texts share alike, none."""

    @classmethod
    def of(cls, these: TraitCounts, those: TraitCounts) -> Self:
        """Compare two sets."""
        found = []
        for name in dict.fromkeys([*those.values, *these.values]):
            mine, theirs = these.values.get(name, Counter()), those.values.get(name, Counter())
            values = sorted(mine.keys() | theirs.keys())
            if len(values) > 1:
                found += [
                    TraitShare(name, value, these.share(name, value), those.share(name, value))
                    for value in values
                ]
        return cls(tuple(found))

    @property
    def different(self) -> tuple[TraitShare, ...]:
        """The values whose shares differ by more than chance, the furthest apart first; one a trait."""
        found: dict[str, TraitShare] = {}
        for each in sorted(self.shares, key=lambda each: (-each.gap, each.value == "no", each.name)):
            if differs(each.these, each.those):
                found.setdefault(each.name, each)
        return tuple(found.values())

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON values: trait, value, then the two shares."""
        found: dict[str, dict[str, Any]] = {}
        for each in self.shares:
            both = {"these": round(each.these.value, 4), "those": round(each.those.value, 4)}
            found.setdefault(each.name, {})[each.value] = both
        return found

    def verdict(self, reference: str) -> str:
        """One sentence, such as "other traits than the seeds: greeting 60% (seeds 10%)"; empty without traits."""
        if not self.shares:
            return ""
        told = [
            f"{each.label} {format_percent(each.these.value)} ({reference} {format_percent(each.those.value)})"
            for each in self.different[:_TOLD]
        ]
        more = len(self.different) - len(told)
        ending = f" and {more} more" if more > 0 else ""
        return (
            f"other traits than {with_article(reference)}: {', '.join(told)}{ending}"
            if told
            else (f"traits as in {with_article(reference)}")
        )


__all__ = [
    "CountTraits",
    "TraitComparison",
    "TraitCounts",
    "TraitShare",
    "count_no_traits",
    "make_trait_counter",
    "spell_value",
]
