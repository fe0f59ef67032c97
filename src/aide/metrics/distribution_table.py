"""The figures of a distribution as rows for a table, from the JSON that a summary holds: for a terminal and a page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aide.metrics.references import KEYS

_SEEN: Final = 0.05
"""A trait's value that fewer of each set have is left out of the table."""

_NOTHING: Final = "–"


class DistributionRow(NamedTuple):
    """One line: its title, the value of the set itself, and one for each reference."""

    title: str
    these: str
    those: tuple[str, ...]


def list_references(figures: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """What the set was held against, by what sentences call it, with the figures of each."""
    return [(name, figures[key]) for name, key in KEYS.items() if key in figures]


def list_verdicts(figures: Mapping[str, Any]) -> list[str]:
    """The sentences of all meters, those beside the seeds first."""
    return [verdict for _, each in list_references(figures) for verdict in each["verdicts"]]


def tabulate_distribution(figures: Mapping[str, Any]) -> list[DistributionRow]:
    """All rows that have a value; empty without a reference."""
    references = [each for _, each in list_references(figures)]
    if not references:
        return []
    return [
        *_tabulate_lengths(references),
        _tabulate_openings(references),
        *_tabulate_traits(references),
        *_tabulate_nearness(references),
    ]


def _tabulate_lengths(references: Sequence[Mapping[str, Any]]) -> Iterator[DistributionRow]:
    lengths = [each["length"] for each in references]
    for mark in ("p5", "p50", "p95"):
        those = tuple(f"{each['those'][mark]:.0f}" for each in lengths)
        yield DistributionRow(f"{lengths[0]['unit']} {mark}", f"{lengths[0]['these'][mark]:.0f}", those)
    emd = tuple(f"{each['emd']:.2f} / {each['emd_within']:.2f}" for each in lengths)
    yield DistributionRow("EMD of length / by chance", "", emd)


def _tabulate_openings(references: Sequence[Mapping[str, Any]]) -> DistributionRow:
    alike = [each["openings"]["alike"] for each in references]
    return DistributionRow(
        "begin alike", f"{alike[0]['these']:.0%}", tuple(f"{each['those']:.0%}" for each in alike)
    )


def _tabulate_traits(references: Sequence[Mapping[str, Any]]) -> Iterator[DistributionRow]:
    # A trait in which the set and one reference are all the same has no figures there, beside another it may.
    names = dict.fromkeys(name for each in references for name in each["traits"])
    for name in names:
        found = [each["traits"].get(name, {}) for each in references]
        for value in dict.fromkeys(value for each in found for value in each):
            shares = [each.get(value) for each in found]
            known = [share for share in shares if share]
            seen = max(max(share["these"], share["those"]) for share in known) >= _SEEN
            if value != "no" and seen:
                title = name if value == "yes" else f"{name}: {value}"
                those = tuple(f"{share['those']:.0%}" if share else _NOTHING for share in shares)
                yield DistributionRow(title, f"{known[0]['these']:.0%}", those)


def _tabulate_nearness(references: Sequence[Mapping[str, Any]]) -> Iterator[DistributionRow]:
    nearest = [each["nearest"] for each in references]
    words = tuple(f"{each['these']:.0%} / {each['those']:.0%}" for each in nearest)
    yield DistributionRow("words shared with the nearest / among them", "", words)
    covered = [each.get("coverage") for each in references]
    if any(covered):
        for title, name in (("cover", "cover"), ("like", "like")):
            cosines = (f"{each[name]:.2f} / {each['among']:.2f}" if each else _NOTHING for each in covered)
            yield DistributionRow(f"{title} / among them", "", tuple(cosines))


__all__ = ["DistributionRow", "list_references", "list_verdicts", "tabulate_distribution"]
