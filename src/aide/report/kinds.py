"""Labels and formats of the records: how many each has, and how the seeds are spread over the labels."""

from collections import Counter
from typing import Any, Final, NamedTuple

from aide.report.data import LONGEST_LABEL, make_visible
from aide.report.gather import ReportFacts, list_labels
from aide.report.sections import Bar, make_bar

HUES: Final = 10
"""Colours of the style sheet for labels; the eleventh label has the first colour again."""

ROWS: Final = 60
"""Labels that are shown; a run may have hundreds."""


class LabelRow(NamedTuple):
    """A label's bar."""

    name: str
    place: int
    """Its place in the order of the alphabet, in which the page's script has them too."""
    hue: int
    bar: Bar
    records: float
    """Share of the records that have it; with sets of labels the shares add up to more than one."""
    seeds: float | None
    """Share of the seeds that have it; `None` where their labels are not known."""


def view_kinds(facts: ReportFacts) -> dict[str, Any]:
    """A bar for each label, the most frequent first, and the records of each format where there are several."""
    labels = facts.counts.labels
    sets = [set(list_labels(str(seed["output"]))) & labels.keys() for seed in facts.seeds.values()]
    known, labelled = Counter(label for each in sets for label in each), sum(map(bool, sets))
    total = facts.accepted or 1
    places = {label: place for place, label in enumerate(sorted(labels))}
    rows = []
    for label, counts in sorted(labels.items(), key=lambda each: (-each[1]["accepted"], each[0])):
        name = make_visible(label, LONGEST_LABEL)
        seeds = known[label] / labelled if labelled else None
        bar = make_bar(name, counts, ("accepted", "rejected", "failed"))
        rows.append(
            LabelRow(name, places[label], places[label] % HUES, bar, counts["accepted"] / total, seeds)
        )
    return {
        "labels": rows[:ROWS],
        "hidden": max(0, len(rows) - ROWS),
        "top": max((row.bar.total for row in rows), default=1) or 1,
        "records": total,
        "seeds_known": labelled > 0,
        "formats": facts.counts.formats.most_common() if len(facts.counts.formats) > 1 else [],
    }
