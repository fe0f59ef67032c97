"""How a set of examples is distributed beside the seeds or beside human data, without a model.

Lengths, openings, traits and nearness in words; with vectors also cover and likeness in meaning. Each meter says in
one sentence what a person should know. Chance is told from difference by standard errors or, for lengths, by how far
two halves of the reference are from each other: ten seeds can't tell more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aide.metrics.lengths import LengthComparison
from aide.metrics.openings import OpeningComparison, OpeningCounts
from aide.metrics.references import KEYS
from aide.metrics.similarity import CoverageComparison, NearestComparison, NearestMeter, measure_coverage
from aide.metrics.trait_shares import CountTraits, TraitComparison, TraitCounts, count_no_traits
from aide.records import Draft
from aide.text.length import choose_unit, measure_length
from aide.vectors import Vector

CLOSELY: Final = 1000
"""Examples of a large set whose traits and nearness are measured: shares are then known to three in a hundred, and
5,000 long texts beside 50 seeds take half a second instead of two."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A set of examples beside one reference."""

    reference: str
    """One of those of `references`."""
    size: int
    """Examples in the reference."""
    length: LengthComparison
    openings: OpeningComparison
    traits: TraitComparison
    nearest: NearestComparison
    coverage: CoverageComparison | None = None
    """Where vectors were given."""

    @property
    def verdicts(self) -> tuple[str, ...]:
        """One sentence a meter that has something to say."""
        meters = (self.length, self.openings, self.traits, self.nearest, self.coverage)
        return tuple(filter(None, (meter.verdict(self.reference) for meter in meters if meter)))

    def as_dict(self) -> dict[str, Any]:
        """All figures as JSON values, with the verdicts."""
        return {
            "size": self.size,
            "length": self.length.as_dict(),
            "openings": self.openings.as_dict(),
            "traits": self.traits.as_dict(),
            "nearest": self.nearest.as_dict(),
            **({"coverage": self.coverage.as_dict()} if self.coverage else {}),
            "verdicts": list(self.verdicts),
        }


@dataclass(slots=True)
class _Reference:
    """One reference and what it was counted once for."""

    name: str
    lengths: list[int]
    openings: OpeningCounts
    traits: TraitCounts
    nearest: NearestMeter


@dataclass(slots=True)
class DistributionMeter:
    """Counts examples one at a time."""

    unit: str
    """`words` or `characters`: what lengths are counted in."""
    count_traits: CountTraits
    every: int
    """Of so many examples one is looked at closely: lengths and openings are counted in all of them."""
    _references: Sequence[_Reference]
    _lengths: list[int] = field(default_factory=list)
    _openings: OpeningCounts = field(default_factory=OpeningCounts)
    _traits: TraitCounts = field(default_factory=TraitCounts)

    @classmethod
    def of(
        cls,
        references: Mapping[str, Sequence[Draft]],
        unit: str = "",
        count_traits: CountTraits = count_no_traits,
        expected: int = 0,
    ) -> Self:
        """A meter beside these references, by what each is called; empty ones are left out.

        Without `unit` the one is taken that suits the first reference. `expected` is about how many examples there
        will be.
        """
        held = {name: drafts for name, drafts in references.items() if drafts}
        unit = unit or choose_unit([draft.input for draft in next(iter(held.values()), ())])
        return cls(
            unit,
            count_traits,
            max(1, expected // CLOSELY),
            [
                _Reference(
                    name,
                    [measure_length(draft.input, unit) for draft in drafts],
                    OpeningCounts.of(draft.input for draft in drafts),
                    TraitCounts.of(map(count_traits, drafts)),
                    NearestMeter.of([draft.input for draft in drafts]),
                )
                for name, drafts in held.items()
            ],
        )

    def add(self, draft: Draft) -> None:
        """Count an example."""
        text = draft.input
        closely = len(self._lengths) % self.every == 0
        self._lengths.append(measure_length(text, self.unit))
        self._openings.add(text)
        if not closely:
            return
        self._traits.add(self.count_traits(draft))
        for reference in self._references:
            reference.nearest.add(text)

    def compare(self, coverage: Mapping[str, CoverageComparison] | None = None) -> list[Distribution]:
        """What was counted, beside each reference; `coverage` by reference. Empty where nothing was counted."""
        if not self._lengths:
            return []
        return [
            Distribution(
                each.name,
                len(each.lengths),
                LengthComparison.of(self._lengths, each.lengths, self.unit, each.name),
                OpeningComparison.of(self._openings, each.openings),
                TraitComparison.of(self._traits, each.traits),
                each.nearest.compare(),
                (coverage or {}).get(each.name),
            )
            for each in self._references
        ]

    def as_dict(self, coverage: Mapping[str, CoverageComparison] | None = None) -> dict[str, Any]:
        """What a summary holds: how many were counted, how many of them closely, the figures beside each reference."""
        found = {KEYS.get(each.reference, each.reference): each.as_dict() for each in self.compare(coverage)}
        return {"records": len(self._lengths), "closely": self._traits.texts, **found} if found else {}


def measure_distribution(
    drafts: Sequence[Draft],
    references: Mapping[str, Sequence[Draft]],
    unit: str = "",
    count_traits: CountTraits = count_no_traits,
    vectors: Mapping[str, Vector] | None = None,
) -> list[Distribution]:
    """All examples at once beside each reference; `vectors` of unit norm by text, where there are any."""
    meter = DistributionMeter.of(references, unit, count_traits, len(drafts))
    for draft in drafts:
        meter.add(draft)
    coverage = {}
    if vectors:
        mine = _find_vectors(drafts, vectors)
        theirs = {name: _find_vectors(each, vectors) for name, each in references.items()}
        coverage = {name: measure_coverage(mine, each) for name, each in theirs.items() if mine and each}
    return meter.compare(coverage)


def _find_vectors(drafts: Sequence[Draft], vectors: Mapping[str, Vector]) -> list[Vector]:
    return [vectors[draft.input] for draft in drafts if draft.input in vectors]


__all__ = ["CLOSELY", "Distribution", "DistributionMeter", "measure_distribution"]
