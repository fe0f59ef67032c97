"""The part of a report that tells how far records have moved from their seeds, and how they were graded."""

from collections.abc import Mapping
from html import escape
from typing import Any

from aide.report import charts
from aide.report.gather import ReportFacts
from aide.report.sections import escape_text, render_section, render_table


def render_drift(facts: ReportFacts) -> str:
    """Likeness to the seed as the run's own meter tells it, the spread of the records shown, and grades, by hop."""
    meter = facts.drift.get("by_hop", {})
    hops = sorted({*map(int, meter), *facts.likeness})
    means = [meter.get(str(hop), {}) for hop in hops]
    rows = [
        (f"hop {hop}", facts.likeness.get(hop, ()), mean.get("to_seed"), mean.get("to_nearest"))
        for hop, mean in zip(hops, means, strict=True)
    ]
    between = facts.drift.get("between_seeds") if len(facts.seeds) > 1 else None
    grades = "".join(
        f"<h3>{escape_text(name)}</h3>"
        + charts.draw_histogram(
            [(f"hop {hop}", counts) for hop, counts in sorted(by_hop.items())], 1, 10, f"g-{escape(name)}"
        )
        for name, by_hop in sorted(facts.tally.grades.items(), reverse=True)
    )
    line = "" if between is None else '<span><i class="dash"></i>two seeds to each other</span>'
    legend = (
        '<div class="legend"><span><i class="disc"></i>own seed, mean</span><span><i class="hoop"></i>'
        'nearest seed, mean</span><span><i class="half"></i>middle half; line: 5 % to 95 %</span>'
        f"{line}</div>"
    )
    return render_section(
        "drift",
        "Drift and scores",
        "The share of its words that a record still has in common with its seed, and how the judge graded it: "
        "relevance to the seed, diversity from the parent. Likeness falls with the hops and should level off; "
        "what has less of it than two seeds have to each other may be about something else.",
        f"<h3>likeness to the seed</h3>{legend}{charts.draw_spread(rows, 'g-drift', between)}"
        if rows
        else '<p class="note">no records yet</p>',
        _meant(facts.drift.get("meaning", {})),
        grades,
    )


def _meant(meter: Mapping[str, Any]) -> str:
    """The drift meter by embeddings, where the run had them."""
    rows = [
        (escape_text(hop), f"{each['to_seed']:.3f}", f"{each['to_nearest']:.3f}", f"{each['records']:,}")
        for hop, each in meter.get("by_hop", {}).items()
    ]
    told = f"<h3>likeness by embeddings (two seeds to each other: {meter.get('between_seeds', 0.0):.3f})</h3>"
    return (
        told + render_table(("hop", "own seed", "nearest seed", "records"), rows, numbers=3) if rows else ""
    )


__all__ = ["render_drift"]
