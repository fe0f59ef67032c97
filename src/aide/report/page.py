"""The page as a whole: head, opening, sections, and the data that its script reads."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from aide import __version__
from aide.report import charts, sections
from aide.report.data import DATA_BYTES
from aide.report.drift import render_drift
from aide.report.gather import ReportFacts
from aide.report.sections import escape_text, format_share, render_section, render_table

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
NAV = (
    ("forest", "Expansion"), ("yield", "Yield"), ("coverage", "Coverage"), ("drift", "Drift"), ("rejects", "Rejects"),
    ("twins", "Duplicates"), ("spending", "Cost"), ("endpoint", "Endpoint"), ("records", "Records"),
)  # fmt: skip


def render_page(
    facts: ReportFacts,
    packed: str,
    calls: Iterable[str],
    timings: Iterable[tuple[float, float, str, int]],
    comparison: Mapping[str, Any],
) -> Iterator[str]:
    """The document in pieces, so that it never stands in memory as a whole. `packed` and `calls` are base64."""
    name = escape_text(facts.folder.path.resolve().name, 80)
    more = (("human", "Human data"),) if comparison else ()
    nav = "".join(f'<a href="#{id}">{title}</a>' for id, title in (*NAV[:-1], *more, NAV[-1]))
    yield f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="color-scheme" content="light dark">
<title>{escape(facts.folder.path.resolve().name)} · aide</title><link rel="icon" href="data:,">
<style>{read_asset("report.css")}</style></head>
<body><header class="top"><b>aide</b> <span class="run">{name}</span><nav>{nav}</nav>
<button id="theme" type="button" title="light or dark" aria-label="light or dark">◐</button></header><main>"""
    yield render_opening(facts)
    yield _forest(facts)
    yield sections.render_yields(facts)
    yield sections.render_coverage(facts)
    yield render_drift(facts)
    yield sections.render_rejects(facts)
    yield sections.render_duplicates(facts)
    yield sections.render_spending(facts)
    yield sections.render_endpoint(facts, timings)
    yield render_human_comparison(facts, comparison) if comparison else ""
    yield _browser(facts)
    yield f"</main><footer>written by aide {escape(__version__)}; prompts and answers that are not in this file: "
    yield f"<code>aide trace {name} ID --prompts</code></footer>"
    yield f'<script type="text/plain" id="data">{packed}</script>'
    for batch in calls:
        yield f'<script type="text/plain" class="calls">{batch}</script>'
    yield f"<script>{read_asset('report.js')}</script></body></html>\n"


def read_asset(name: str) -> str:
    """A text file that stands beside this module."""
    return files("aide.report").joinpath(name).read_text(encoding="utf-8")


def render_opening(facts: ReportFacts) -> str:
    """What was asked and what came out."""
    summary, spec = facts.summary, facts.manifest.get("spec", {})
    target = summary.get("target")
    tokens = summary.get("tokens", {})
    settled = sum(facts.tally.hops.values(), Counter())
    planned = max(summary.get("planned", 0), settled.total())
    counts = [*((kind, settled[kind]) for kind in sections.KINDS), ("open", planned - settled.total())]
    calls = summary.get("calls", 0)
    wall = max(0.0, facts.manifest.get("ended", 0) - facts.manifest.get("begun", 0))
    cost = summary.get("cost")
    figures = [
        (f"{facts.accepted:,}", f"records of {target:,} wanted" if target else "records"),
        (format_share(facts.accepted, planned), f"of {planned:,} candidates accepted"),
        (f"{calls:,}", f"calls, {calls / facts.accepted:.1f} for a record" if facts.accepted else "calls"),
        (
            charts.format_figure(tokens.get("prompt", 0) + tokens.get("completion", 0)),
            f"tokens, {charts.format_figure(tokens.get('completion', 0))} of them written",
        ),
        ("?" if cost is None else f"{cost:.2f}", "USD (no price known)" if cost is None else "USD"),
        (_time(summary.get("this_run", {}).get("seconds", 0) or wall), "last run"),
    ]
    tiles = "".join(f"<div class=tile><b>{value}</b><span>{label}</span></div>" for value, label in figures)
    sums = " + ".join(f"{kind} {count:,}" for kind, count in counts if count)
    agree = f"{sums} = {planned:,} planned" if planned else "no candidate was planned yet"
    bar = charts.draw_stacked_bars([("candidates", counts)]) if planned else ""
    legend = "".join(
        f'<span><i class="k-{kind}"></i>{kind} {count:,}</span>' for kind, count in counts if count
    )
    stopped = (
        f'<p class="warn">Stopped: {escape_text(summary["stopped"])}</p>' if summary.get("stopped") else ""
    )
    if not facts.folder.summary.exists():
        stopped = '<p class="warn">The run has not come to an end: it goes on, or was killed.</p>'
    asked = _asked(facts, spec)
    return f"""<section id="opening"><h1>{escape_text(_task(facts), 300)}</h1>{stopped}<div class="tiles">{tiles}</div>
<div class="legend">{legend}</div>{bar}<p class="note">{agree}</p>{asked}</section>"""


def _task(facts: ReportFacts) -> str:
    spec = facts.manifest.get("spec", {})
    if spec.get("task"):
        return str(spec["task"])
    if facts.records:
        return str(facts.records[0]["task"]).replace("_", " ")
    files = [Path(str(each.get("path", ""))).stem for each in facts.manifest.get("seeds", ())]
    return files[0].replace("_", " ") if files else facts.folder.path.resolve().name


def _asked(facts: ReportFacts, spec: Mapping[str, Any]) -> str:
    """The settings that were given, each with where it came from; what is a default is left out."""
    origins = facts.manifest.get("origins", {})
    rows = [
        (escape_text(name), escape_text(_plain(spec.get(name)), 200), escape_text(origin, 120))
        for name, origin in origins.items()
        if origin != "default" and name in spec
    ]
    seeds = ", ".join(Path(str(each.get("path", ""))).name for each in facts.manifest.get("seeds", ()))
    known = facts.summary.get("format") or next((record["format"] for record in facts.records), "?")
    format, hops = escape_text(known), spec.get("hops", "?")
    count = f"{len(facts.seeds):,} seed{'' if len(facts.seeds) == 1 else 's'}"
    head = f"{count} from {escape_text(seeds, 200)}; format {format}; {hops} hops"
    settings = render_table(("setting", "value", "from"), rows)
    return f"<details><summary>What was asked: {head}</summary>{settings}</details>"


def _plain(value: Any) -> str:
    return (
        ", ".join(map(str, value))
        if isinstance(value, Sequence) and not isinstance(value, str)
        else str(value)
    )


def _forest(facts: ReportFacts) -> str:
    lead = "Seeds on the left, each hop a column to the right; click a branch to go down into it."
    return render_section(
        "forest",
        "The expansion",
        lead + _sampled(facts),
        """<div class="controls"><label>colour <select id="colour">
<option value="likeness">likeness to the seed</option>
<option value="yield">yield of its children</option><option value="relevance">relevance</option>
<option value="diversity">diversity</option><option value="operation">operation</option></select></label>
<label>size <select id="size"><option value="below">records below</option>
<option value="even">all seeds alike</option></select></label><span id="scale" class="legend"></span></div>
<nav id="crumbs" aria-label="branch"></nav>
<canvas id="picture" role="img" aria-label="the expansion as columns of branches"></canvas>
<p id="hover" class="note" aria-live="polite">&nbsp;</p><div id="branch"></div>""",
    )


def _browser(facts: ReportFacts) -> str:
    return render_section(
        "records",
        "Records",
        f"Every record beside its parent and its seed; what is new in it is marked.{_sampled(facts)}",
        """<form id="filters" class="controls" onsubmit="return false">
<input id="search" type="search" placeholder="search inputs, answers, ids" aria-label="search">
<label>hop <select id="f-hop"></select></label><label>grown by <select id="f-op"></select></label>
<label>seed <select id="f-seed"></select></label>
<label>relevance ≤ <select id="f-rel"></select></label><label>diversity ≤ <select id="f-div"></select></label>
<label>order <select id="f-order"><option value="">as grown</option><option value="likeness">most drifted</option>
<option value="relevance">least relevant</option><option value="diversity">least diverse</option>
<option value="length">longest</option></select></label><button type="reset">clear</button></form>
<p id="count" class="note" aria-live="polite">this part needs a script</p><div id="list"></div>
<button id="more" type="button" hidden>show more</button>""",
    )


def _sampled(facts: ReportFacts) -> str:
    if len(facts.records) >= facts.accepted:
        return ""
    bound = f"texts up to {DATA_BYTES / 1e6:.1f} MB packed"
    return f" This file holds a sample of {len(facts.records):,} of {facts.accepted:,} records ({bound})."


def render_human_comparison(facts: ReportFacts, comparison: Mapping[str, Any]) -> str:
    """Diversity beside that of human data, where the two were measured together."""
    rows = [(escape_text(name), *(_figure(value) for value in values)) for name, values in comparison["rows"]]
    texts, records = comparison["texts"], comparison["records"]
    of = f"{records:,} records of this run" if records else "this run"
    size = f"; {texts:,} of each were measured" if texts else ""
    stale = "" if records in (None, facts.accepted) else f" The run holds {facts.accepted:,} records now."
    return render_section(
        "human",
        "Beside human data",
        f"The same measures over {of} and over human data{size}.{stale} Near-duplicates, Self-BLEU and the compression "
        "ratio grow where texts repeat each other; distinct-n falls.",
        render_table(
            ("measure", "this run", escape_text(comparison["files"] or "human", 60)), rows, numbers=2
        ),
    )


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if value < 10 else f"{value:.1f}"
    return "–" if value is None else escape_text(value, 40)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes:02} min"
        if hours
        else f"{minutes} min {rest:02} s"
        if minutes
        else f"{seconds:.1f} s"
    )


__all__ = ["render_page"]
