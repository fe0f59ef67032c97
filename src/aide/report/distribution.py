"""The distribution of a run beside its seeds and human data, and what the realism meter found."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from aide.metrics.distribution_table import list_references, tabulate_distribution
from aide.report.data import show_text
from aide.report.gather import ReportFacts
from aide.run.folder import RunFolder


class PairedBar(NamedTuple):
    """The shares of a set and of a reference in one column of a histogram."""

    label: str
    these: float
    those: float


def read_distribution(folder: RunFolder, accepted: int) -> dict[str, Any]:
    """What `aide stats DIR --human FILE` left in `stats.json`, or else what the run's own summary has.

    Empty if there is neither, or if it is of another number of records than `accepted`: that of an earlier run.
    """
    stats = folder.read_stats()
    summary = folder.read_summary()
    found: dict[str, Any] = {}
    if summary.get("accepted") == accepted:
        found = summary.get("distribution") or {}
    if stats.get("records") == accepted:
        found = stats.get("distribution") or found
    return found


def view_distribution(facts: ReportFacts) -> dict[str, Any]:
    """The table, and for each reference its verdicts and histograms; empty where nothing was measured."""
    found = read_distribution(facts.folder, facts.accepted)
    references = list_references(found)
    if not references:
        return {}
    rows = tabulate_distribution(found)
    return {
        "records": found["records"],
        "names": [name for name, _ in references],
        "head": ("", "this run", *(name for name, _ in references)),
        "rows": [(show_text(row.title), row.these, *row.those) for row in rows],
        "references": [
            {
                "name": name,
                "verdicts": [show_text(verdict) for verdict in each["verdicts"]],
                "unit": each["length"]["unit"],
                "lengths": _make_length_bars(each["length"]["histogram"]),
                "traits": _make_trait_bars(each["traits"]),
            }
            for name, each in references
        ],
    }


def _make_length_bars(histogram: list[list[int]]) -> list[PairedBar]:
    mine, theirs = (sum(column[place] for column in histogram) or 1 for place in (2, 3))
    return [
        PairedBar(str(low) if low == high else f"{low} to {high}", these / mine, those / theirs)
        for low, high, these, those in histogram
    ]


def _make_trait_bars(traits: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[PairedBar]:
    """A bar for each value but `no`, which `yes` tells as well."""
    return [
        PairedBar(name if value == "yes" else f"{name}: {value}", shares["these"], shares["those"])
        for name, values in traits.items()
        for value, shares in values.items()
        if value != "no"
    ]


def view_realism(facts: ReportFacts) -> dict[str, Any]:
    """How often records were told from real texts; empty where the run did not ask."""
    found = facts.summary.get("realism") or {}
    if not found:
        return {}
    groups = {
        "all": found,
        **found.get("by_operation", {}),
        **{f"hop {hop}": each for hop, each in found.get("by_hop", {}).items()},
    }
    return {
        "verdict": show_text(found.get("verdict", "")),
        "rows": [
            (
                show_text(name, 60),
                f"{each['groups']:,}",
                f"{each['found']:.0%}",
                f"{each['chance']:.0%}",
                f"{each['certainty']:.1f}",
            )
            for name, each in groups.items()
        ],
        "signs": [show_text(sign, 200) for sign in found.get("signs", ())],
    }
