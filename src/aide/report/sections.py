"""What the sections of a report show, prepared for their templates.

Whatever a model or a file wrote passes `show_text`; all else is escaped by the templates.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from aide.records import PERSONA, Usage
from aide.report.charts import SpreadRow, draw_histogram, draw_spread
from aide.report.data import list_reasons, show_text
from aide.report.gather import ReportFacts
from aide.text.figures import format_count, format_duration, format_plural, format_share

KINDS: Final = ("accepted", "rejected", "refused", "failed", "surplus", "pruned")
DUPLICATES: Final = ("duplicate", "copy", "contaminated")
"""Reasons of rejects that resemble a text which the report can show beside them."""

TOPICS: Final = 40
"""Rows of the coverage map; a run may have thousands of topics."""


class Bar(NamedTuple):
    """A bar of several parts, each with its class in the style sheet."""

    label: str
    parts: tuple[tuple[str, int], ...]
    total: int


def make_bar(label: str, counts: Mapping[str, int], kinds: Iterable[str] = KINDS) -> Bar:
    """A bar with a part for each of the kinds."""
    parts = tuple((kind, counts.get(kind, 0)) for kind in kinds)
    return Bar(label, parts, sum(count for _, count in parts))


def view_opening(facts: ReportFacts) -> dict[str, Any]:
    """What was asked for and what came out."""
    summary, manifest = facts.summary, facts.manifest
    target, tokens, calls = summary.get("target"), summary.get("tokens", {}), summary.get("calls", 0)
    settled = sum(facts.counts.hops.values(), Counter())
    # The summary may be of an earlier run, with fewer candidates than the journal has by now.
    planned = max(summary.get("planned", 0), settled.total())
    settled["open"] = planned - settled.total()
    written, cost = tokens.get("completion", 0), summary.get("cost")
    wall = max(0.0, manifest.get("ended", 0) - manifest.get("begun", 0))
    last_run = summary.get("this_run", {}).get("seconds", 0) or wall
    return {
        "title": _name_task(facts),
        "stopped": summary.get("stopped", ""),
        "unfinished": not facts.folder.summary.exists(),
        "tiles": (
            (f"{facts.accepted:,}", f"records of {target:,} wanted" if target else "records"),
            (format_share(facts.accepted, planned), f"of {planned:,} candidates accepted"),
            (
                f"{calls:,}",
                f"calls, {calls / facts.accepted:.1f} for a record" if facts.accepted else "calls",
            ),
            (
                format_count(tokens.get("prompt", 0) + written),
                f"tokens, {format_count(written)} of them written",
            ),
            ("?", "USD (no price known)") if cost is None else (f"{cost:.2f}", "USD"),
            (format_duration(last_run, tenths=True), "last run"),
        ),
        "planned": planned,
        "counts": [(kind, settled[kind]) for kind in (*KINDS, "open") if settled[kind]],
        "bar": make_bar("candidates", settled, (*KINDS, "open")),
        "reviewed": _tell_reviews(facts),
        **_view_request(facts),
    }


def _tell_reviews(facts: ReportFacts) -> str:
    """What a person decided; empty where nobody did."""
    counts = facts.reviews
    if counts is None:
        return ""
    kinds = ((counts.edited, "edited"), (counts.added, "that the run had rejected"))
    of_them = ", ".join(f"{count:,} {name}" for count, name in kinds if count)
    return (
        f"A person accepted {format_plural(counts.accepted, 'record')}{of_them and f' ({of_them})'} "
        f"and refused {counts.refused:,}. What is shown is what is left."
    )


def _name_task(facts: ReportFacts) -> str:
    if task := facts.manifest.get("spec", {}).get("task"):
        return str(task)
    if facts.records:
        return str(facts.records[0]["task"]).replace("_", " ")
    stems = [Path(name).stem for name in _seed_files(facts)]
    return stems[0].replace("_", " ") if stems else facts.folder.path.resolve().name


def _seed_files(facts: ReportFacts) -> list[str]:
    return [Path(str(each.get("path", ""))).name for each in facts.manifest.get("seeds", ())]


def _view_request(facts: ReportFacts) -> dict[str, Any]:
    """The settings that were given, each with its origin; defaults are left out."""
    spec, origins = facts.manifest.get("spec", {}), facts.manifest.get("origins", {})
    return {
        "seeds": format_plural(len(facts.seeds), "seed"),
        "files": ", ".join(_seed_files(facts)),
        "format": facts.summary.get("format") or next((record["format"] for record in facts.records), "?"),
        "hops": spec.get("hops", "?"),
        "settings": [
            (show_text(name), show_text(_format_setting(spec.get(name)), 200), show_text(origin, 120))
            for name, origin in origins.items()
            if origin != "default" and name in spec
        ],
    }


def _format_setting(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def view_yields(facts: ReportFacts) -> dict[str, Any]:
    """Accepted and other candidates, by hop and by operation."""
    hops = [(f"hop {hop}", counts) for hop, counts in sorted(facts.counts.hops.items())]
    operations = sorted(facts.counts.operations.items())
    return {
        "kinds": [kind for kind in KINDS if any(kind in counts for _, counts in hops)],
        "hops": [make_bar(*each) for each in hops],
        "operations": [make_bar(*each) for each in operations],
        "rows": [
            (
                name,
                f"{counts['accepted']:,}",
                f"{counts.total():,}",
                format_share(counts["accepted"], counts.total()),
            )
            for name, counts in (*hops, *operations)
        ],
    }


def view_coverage(facts: ReportFacts) -> dict[str, Any]:
    """Topic by operation and persona: how many records each place holds, and which places are gaps.

    A gap is a place that a topic's triples or personas offer and no record fills.
    """
    counts, offered = facts.counts.coverage, facts.counts.offered
    operations = {operation for _, operation in counts}
    columns = [*sorted(operations - {PERSONA}), *([PERSONA] if PERSONA in operations else [])]
    totals: Counter[str] = Counter()
    for (topic, _), count in (*counts.items(), *((each, 0) for each in offered)):
        totals[topic] += count
    top = max(counts.values(), default=1)
    rows: list[tuple[str, list[tuple[int, float, bool]], int]] = []
    gaps = 0
    for topic, total in totals.most_common():
        cells = []
        for column in columns:
            count = counts[topic, column]
            gap = not count and offered[topic, "personas" if column == PERSONA else "triples"] > 0
            # The square root keeps places with few records visible beside one with very many.
            heat = 0.12 + 0.88 * (count / top) ** 0.5 if count else 0.0
            cells.append((count, heat, gap))
            gaps += gap
        if len(rows) < TOPICS:
            rows.append((topic or "(no topic)", cells, total))
    chunks = {file: each["chunks"] for file, each in (facts.summary.get("documents") or {}).items()}
    documents = Counter({**dict.fromkeys(chunks, 0), **facts.counts.documents})
    return {
        "documents": [(file, count, chunks.get(file)) for file, count in documents.most_common(TOPICS)],
        "more_documents": max(0, len(documents) - TOPICS),
        "columns": columns,
        "rows": rows,
        "gaps": gaps,
        "topics": len(totals),
        "hidden": len(totals) - TOPICS,
    }


def view_drift(facts: ReportFacts) -> dict[str, Any]:
    """Likeness to the seed by hop: means of all records, spread of those shown; and grades by hop."""
    means = facts.drift.get("by_hop", {})
    between = facts.drift.get("between_seeds") if len(facts.seeds) > 1 else None
    rows = []
    for hop in sorted({*map(int, means), *facts.likeness}):
        mean = means.get(str(hop), {})
        values = facts.likeness.get(hop, ())
        rows.append(SpreadRow(f"hop {hop}", values, mean.get("to_seed"), mean.get("to_nearest")))
    embedded = facts.drift.get("meaning", {})
    return {
        "spread": draw_spread(rows, "g-drift", between) if rows else "",
        "between": between,
        "embedded_between": embedded.get("between_seeds", 0.0),
        "embedded": [
            (show_text(hop), f"{each['to_seed']:.3f}", f"{each['to_nearest']:.3f}", f"{each['records']:,}")
            for hop, each in embedded.get("by_hop", {}).items()
        ],
        "grades": [
            (
                name,
                [draw_histogram(f"hop {hop}", counts, f"g-{name}") for hop, counts in sorted(hops.items())],
            )
            for name, hops in sorted(facts.counts.grades.items(), reverse=True)
        ],
    }


def view_rejects(facts: ReportFacts) -> list[dict[str, Any]]:
    """Reasons with their counts, the most frequent first."""
    reasons: dict[str, Counter[int]] = defaultdict(Counter)
    steps = {}
    places = {reason: place for place, reason in enumerate(list_reasons(facts))}
    failed = {line["reason"] for line in facts.rejects if line["failed"]}
    for (step, reason, hop), count in facts.counts.reasons.items():
        reasons[reason][hop] += count
        steps[reason] = step
    return [
        {
            "reason": reason,
            "place": places[reason],
            "failed": reason in failed,
            "step": steps[reason],
            "count": hops.total(),
            "hops": ", ".join(f"hop {hop}: {count:,}" for hop, count in sorted(hops.items())),
        }
        for reason, hops in sorted(reasons.items(), key=lambda each: -each[1].total())
    ]


def view_duplicates(facts: ReportFacts) -> dict[str, Any]:
    """Duplicates and contamination: how many were found, and some beside what they resemble."""
    counts: Counter[str] = Counter()
    for (_, reason, _), count in facts.counts.reasons.items():
        counts[reason] += count
    return {
        "rejected": [(reason, counts[reason]) for reason in DUPLICATES if counts[reason]],
        "found": facts.duplicates.most_common(),
        "thresholds": {"wording": None, "meaning": None, **facts.summary.get("duplicate_from", {})},
        "pairs": [line for reason in DUPLICATES for line in facts.examples.get(reason, ())],
    }


def view_spending(facts: ReportFacts) -> dict[str, Any]:
    """Calls, tokens and money by step and model, the most expensive step first."""
    steps = sorted(facts.steps, key=lambda row: -(row[2].prompt + row[2].completion))
    sent: Counter[str] = Counter()
    written: Counter[str] = Counter()
    for step, _, usage, _ in steps:
        sent[step] += usage.prompt
        written[step] += usage.completion
    models = {model for _, model, _, _ in steps}
    costs = [cost for _, _, _, cost in steps]
    rows = [
        _cost_row(show_text(step), show_text(model, 80), usage, cost) for step, model, usage, cost in steps
    ]
    # One step without a known price makes the sum unknown: a partial sum would pass for all of it.
    total = None if None in costs else sum(cost or 0.0 for cost in costs)
    rows.append(_cost_row("all", "", sum((usage for _, _, usage, _ in steps), Usage()), total))
    head = ("step", "model", "calls", "tokens in", "cached", "tokens out", "USD")
    hidden = {"model"} if len(models) < 2 else set()
    hidden |= set() if any(usage.cached for _, _, usage, _ in steps) else {"cached"}
    kept = [place for place, name in enumerate(head) if name not in hidden]
    return {
        "model": models.pop() if len(models) == 1 else "",
        "bars": [make_bar(step, {"in": sent[step], "out": written[step]}, ("in", "out")) for step in sent],
        "head": [head[place] for place in kept],
        "rows": [[row[place] for place in kept] for row in rows],
        "figures": 4 if "cached" in hidden else 5,
    }


def _cost_row(step: str, model: str, usage: Usage, cost: float | None) -> tuple[str, ...]:
    counts = (usage.calls, usage.prompt, usage.cached, usage.completion)
    return step, model, *(f"{count:,}" for count in counts), "?" if cost is None else f"{cost:.4f}"


def view_human_data(facts: ReportFacts, comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Diversity beside that of human data, if the two were measured together; empty if not."""
    if not comparison:
        return {}
    return {
        **comparison,
        "rows": [(name, *map(_format_measure, values)) for name, values in comparison["rows"]],
        "outdated": comparison["records"] not in (None, facts.accepted),
    }


def _format_measure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if value < 10 else f"{value:.1f}"
    return "–" if value is None else show_text(value, 40)
