"""The parts of a report that are drawn without a script. Whatever a model or a file wrote passes `text`."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from aide.records import PERSONA, Usage
from aide.report import charts
from aide.report.data import make_visible
from aide.report.gather import ReportFacts, read_timeline

KINDS: Final = ("accepted", "rejected", "failed", "surplus", "pruned")
TOPICS: Final = 40  # rows of the coverage map
TWINS: Final = ("duplicate", "copy", "contaminated")
BUCKETS: Final = 160  # points of a curve over time
CACHES: Final = (
    "prompts repeat: the share of prompt tokens of the last run that a prefix cache of 16-token blocks would have had; "
    "it had cached: the share that the server says it took from its own cache"
)
PAUSE: Final = 60.0  # seconds without a call after which the clock of the curves stands still


def escape_text(value: Any, longest: int = 600) -> str:
    """Anything from outside as text: visible, escaped, in a direction of its own."""
    return f"<bdi>{escape(make_visible(str(value), longest))}</bdi>"


def render_section(id: str, title: str, lead: str, *body: str) -> str:
    """One section with its heading, a sentence that says what to look for, and what follows."""
    return f'<section id="{id}"><h2>{title}</h2><p class="lead">{lead}</p>{"".join(body)}</section>'


def render_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """A table of ready cells; the last `numbers` columns are figures."""
    first = len(head) - numbers

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if n >= first else ''}>{cell}</{tag}>" for n, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{cells("th", head)}</tr></thead><tbody>{body}</tbody></table></div>'


def render_yields(facts: ReportFacts) -> str:
    """Accepted and not, by hop and by operation."""
    tally = facts.tally
    legend = "".join(
        f'<span><i class="k-{kind}"></i>{kind}</span>'
        for kind in KINDS
        if any(kind in c for c in tally.hops.values())
    )
    hops = [
        (f"hop {hop}", [(kind, counts[kind]) for kind in KINDS]) for hop, counts in sorted(tally.hops.items())
    ]
    ops = [
        (name, [(kind, counts[kind]) for kind in KINDS]) for name, counts in sorted(tally.operations.items())
    ]
    rows = [
        (
            escape(name),
            f"{counts['accepted']:,}",
            f"{sum(counts.values()):,}",
            format_share(counts["accepted"], sum(counts.values())),
        )
        for name, counts in [
            *((f"hop {h}", c) for h, c in sorted(tally.hops.items())),
            *sorted(tally.operations.items()),
        ]
    ]
    lead = (
        "Of all candidates that were grown, how many became records: "
        "a hop or an operation that wastes calls shows here."
    )
    if not rows:
        return render_section("yield", "Yield", lead, '<p class="note">no candidate has been settled yet</p>')
    return render_section(
        "yield",
        "Yield",
        lead,
        f'<div class="legend">{legend}</div>'
        f'<div class="two"><div>{charts.draw_stacked_bars(hops)}</div><div>{charts.draw_stacked_bars(ops)}</div></div>',
        render_table(("", "accepted", "candidates", "yield"), rows, numbers=3),
    )


def render_coverage(facts: ReportFacts) -> str:
    """Topic by operation and persona: how many records stand in each place, gaps marked."""
    tally = facts.tally
    operations = sorted({operation for _, operation in tally.coverage} - {PERSONA})
    columns = [*operations, *([PERSONA] if any(op == PERSONA for _, op in tally.coverage) else [])]
    totals: Counter[str] = Counter()
    for (topic, _), count in tally.coverage.items():
        totals[topic] += count
    for topic, _ in tally.offered:
        totals[topic] += 0
    top = max(tally.coverage.values(), default=1)
    rows: list[str] = []
    gaps = 0
    for topic, total in totals.most_common():
        cells = [tally.coverage[topic, column] for column in columns]
        open_ = [
            count == 0 and _offers(facts, topic, column) for count, column in zip(cells, columns, strict=True)
        ]
        gaps += sum(open_)
        if len(rows) < TOPICS:
            marks = [_cell(count, top, gap=gap) for count, gap in zip(cells, open_, strict=True)]
            rows.append(
                f"<tr><th>{escape_text(topic or '(no topic)', 60)}</th>{''.join(marks)}"
                f'<td class="n">{total:,}</td></tr>'
            )
    head = "".join(f"<th>{escape_text(column, 40)}</th>" for column in columns)
    more = (
        f'<p class="note">{len(totals) - TOPICS:,} more topics are not drawn.</p>'
        if len(totals) > TOPICS
        else ""
    )
    if not totals:
        return render_section(
            "coverage", "Coverage", "What the records are about.", '<p class="note">no records yet</p>'
        )
    told = (
        f"{len(totals):,} topic{'' if len(totals) == 1 else 's'}; places that a topic offers and no record fills "
        f"are marked × ({gaps:,})."
    )
    return render_section(
        "coverage",
        "Coverage",
        f"What the records are about, by how they were grown. {told}",
        f'<div class="scroll"><table class="heat"><thead><tr><th>topic</th>{head}<th class="n">all</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{more}",
    )


def _offers(facts: ReportFacts, topic: str, column: str) -> bool:
    return facts.tally.offered[topic, "personas" if column == PERSONA else "triples"] > 0


def _cell(count: int, top: int, *, gap: bool) -> str:
    if gap:
        return '<td class="gap" title="offered, and no record">×</td>'
    strength = 0.12 + 0.88 * (count / top) ** 0.5 if count else 0
    return f'<td class="heatcell" style="--heat:{strength:.2f}">{count or ""}</td>'


def render_rejects(facts: ReportFacts) -> str:
    """Reasons with their counts, and a few candidates of each."""
    by_reason: dict[str, Counter[int]] = defaultdict(Counter)
    steps = {reason: step for step, reason, _ in facts.tally.reasons}
    for (_, reason, hop), count in facts.tally.reasons.items():
        by_reason[reason][hop] += count
    order = sorted(by_reason, key=lambda reason: -by_reason[reason].total())
    blocks = []
    for reason in order:
        counts = by_reason[reason]
        hops = ", ".join(f"hop {hop}: {count:,}" for hop, count in sorted(counts.items()))
        items = "".join(_example(line) for line in facts.examples.get(reason, ()))
        blocks.append(
            f"<details><summary><b>{escape_text(reason)}</b> <span class=count>{counts.total():,}</span> "
            f"<span class=dim>at {escape_text(steps[reason])}; {hops}</span></summary>{items}</details>"
        )
    body = "".join(blocks) or '<p class="note">nothing was rejected</p>'
    return render_section(
        "rejects",
        "Rejects",
        "Why candidates did not become records, the most frequent reason first; open one for examples.",
        body,
    )


def _example(line: Mapping[str, Any]) -> str:
    lineage = line["lineage"]
    twin = f"<dt>twin</dt><dd>{escape_text(line['twin'])}</dd>" if line.get("twin") else ""
    written = f"<dt>text</dt><dd>{escape_text(line['input'])}</dd>" if line.get("input") else ""
    return (
        f"<dl class=example><dt>why</dt><dd>{escape_text(line['detail'])}</dd>{written}{twin}"
        f"<dt>id</dt><dd><code>{escape_text(line['id'])}</code>, "
        f"hop {lineage['hop']}, {escape_text(lineage['operation'])}</dd></dl>"
    )


def render_duplicates(facts: ReportFacts) -> str:
    """Duplicates and contamination: how many were found, and pairs side by side."""
    found = {
        reason: count
        for reason in TWINS
        if (count := sum(n for (_, r, _), n in facts.tally.reasons.items() if r == reason))
    }
    kinds = ", ".join(f"{count:,} {escape_text(how)}" for how, count in facts.twins.most_common()) or "none"
    pairs = [
        f'<div class="beside"><div><h4>candidate, {escape_text(line["reason"])}</h4>'
        f"{escape_text(line.get('input') or '(not kept)', 300)}</div>"
        f"<div><h4>beside</h4>{escape_text(line.get('twin') or line['detail'], 300)}</div></div>"
        for reason in TWINS
        for line in facts.examples.get(reason, ())
    ]
    counts = ", ".join(f"{escape_text(reason)} {count:,}" for reason, count in found.items()) or "none"
    return render_section(
        "twins",
        "Duplicates and contamination",
        "Candidates too like a seed, another record, or a text to be avoided. "
        "They were refused before an answer was paid for.",
        f"<p>Rejected: {counts}. Twins among all drafts, mended ones included: {kinds}.</p>",
        *pairs,
    )


def render_spending(facts: ReportFacts) -> str:
    """Calls, tokens and money by step and model, the dearest step first."""
    steps = sorted(facts.steps, key=lambda row: -(row[2].prompt + row[2].completion))
    sent: Counter[str] = Counter()
    got: Counter[str] = Counter()
    for step, _, usage, _ in steps:
        sent[step] += usage.prompt
        got[step] += usage.completion
    bars = [(step, [("in", sent[step]), ("out", got[step])]) for step in sent]
    several, cached = len({model for _, model, _, _ in steps}) > 1, any(row[2].cached for row in steps)
    rows = [
        _cost(escape_text(step), escape_text(model, 80), usage, cost) for step, model, usage, cost in steps
    ]
    costs = [cost for _, _, _, cost in steps]
    whole = sum((usage for _, _, usage, _ in steps), Usage())
    known = None if None in costs else sum(cost or 0.0 for cost in costs)
    rows.append(_cost("all", "", whole, known))
    head = ("step", "model", "calls", "tokens in", "cached", "tokens out", "USD")
    kept = [n for n, name in enumerate(head) if (name != "model" or several) and (name != "cached" or cached)]
    models = "" if several or not steps else f" All of it went to {escape_text(steps[0][1], 80)}."
    return render_section(
        "spending",
        "Tokens and money",
        f"What each step cost: tokens in are what was sent, tokens out what the model wrote.{models}",
        '<div class="legend"><span><i class="k-in"></i>in</span><span><i class="k-out"></i>out</span></div>',
        charts.draw_stacked_bars(bars),
        render_table([head[n] for n in kept], [[row[n] for n in kept] for row in rows], numbers=4 + cached),
    )


def _cost(step: str, model: str, usage: Usage, cost: float | None) -> tuple[str, ...]:
    counts = (usage.calls, usage.prompt, usage.cached, usage.completion)
    return step, model, *(f"{count:,}" for count in counts), "?" if cost is None else f"{cost:.4f}"


def render_endpoint(facts: ReportFacts, timings: Iterable[tuple[float, float, str, int]]) -> str:
    """Calls in flight, answers a second and failures over time; pauses between invocations are left out."""
    spans = _Spans(timings)
    lead = (
        "How the endpoint took the run: calls in flight under the limit that was found, answers a second, "
        "failed attempts that were retried."
    )
    if not len(spans):
        return render_section(
            "endpoint", "Endpoint over time", lead, '<p class="note">no calls were made</p>'
        )
    clock = _Clock(spans)
    width = max(clock.end / BUCKETS, 1e-3)
    wide = 3 * width
    answers: Counter[int] = Counter(int(clock.at(end) / wide) for _, end in spans)
    flight = _in_flight(spans, clock, width)
    limits, errors = _sampled(facts, clock)
    rate = [(n * wide, answers[n] / wide) for n in range(int(clock.end / wide) + 1)]
    stats = [
        (
            escape_text(name),
            f"{each['calls']:,}",
            escape_text(", ".join(f"{kind} {n:,}" for kind, n in each["errors"].items()) or "none"),
            str(each["limit"]),
            str(each["cuts"]),
            *(f"{(each.get('prefix') or {}).get(name, 0):.0%}" for name in ("would_hit", "told")),
        )
        for name, each in (facts.summary.get("endpoints") or {}).items()
    ]
    head = (
        "endpoint",
        "calls",
        "failed attempts (last run)",
        "limit",
        "cuts",
        "prompts repeat",
        "it had cached",
    )
    failed = charts.draw_lines([("failed attempts", "l-bad", errors)], seconds=clock.end, steps=True)
    return render_section(
        "endpoint",
        "Endpoint over time",
        lead,
        '<h3>calls in flight <span class="legend"><span><i class="k-in"></i>in flight</span>'
        '<span><i class="k-limit"></i>limit</span></span></h3>',
        charts.draw_lines([("in flight", "l-in", flight), ("limit", "l-limit", limits)], seconds=clock.end),
        "<h3>answers a second</h3>",
        charts.draw_lines([("answers a second", "l-rate", rate)], seconds=clock.end, steps=True),
        f"<h3>failed attempts so far</h3>{failed}" if errors else "",
        render_table(head, stats) + f'<p class="note">{CACHES}</p>' if stats else "",
    )


class _Spans:
    """Beginning and end of each call in Unix time, in the order of the answers; 16 bytes a call."""

    def __init__(self, timings: Iterable[tuple[float, float, str, int]]) -> None:
        self._starts, self._ends = array("d"), array("d")
        for at, seconds, _, _ in timings:
            self._starts.append(at - seconds)
            self._ends.append(at)

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[tuple[float, float]]:
        return zip(self._starts, self._ends, strict=True)


class _Clock:
    """Seconds since the first call, standing still where nothing was on the wire for long."""

    def __init__(self, spans: Iterable[tuple[float, float]]) -> None:
        self._marks: list[
            tuple[float, float]
        ] = []  # (Unix time from which, seconds to take off), the last first
        off = busy = 0.0
        for start, end in spans:
            if not self._marks:
                off, busy = start, end
                self._marks.append((float("-inf"), off))
            elif start - busy > PAUSE:
                off += start - busy - 1.0
                self._marks.insert(0, (start - 1.0, off))
            busy = max(busy, end)
        self.end = max(busy - off, 1e-3)

    def at(self, moment: float) -> float:
        """Seconds on the clock at a moment of Unix time."""
        for since, off in self._marks:
            if moment >= since:
                return min(max(0.0, moment - off), self.end)
        return 0.0


def _in_flight(
    spans: Iterable[tuple[float, float]], clock: _Clock, width: float
) -> list[tuple[float, float]]:
    """The mean number of open calls in each bucket: the sum of the time that calls spent in it, by its length."""
    buckets: defaultdict[int, float] = defaultdict(float)
    for start, end in spans:
        a, b = clock.at(start), clock.at(end)
        first, last = int(a / width), int(b / width)
        for n in range(first, last + 1):
            buckets[n] += max(0.0, min(b, (n + 1) * width) - max(a, n * width))
    return [(n * width, buckets[n] / width) for n in range(int(clock.end / width) + 1)]


def _sampled(
    facts: ReportFacts, clock: _Clock
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    limits, errors = [], []
    for moment in read_timeline(facts.folder):
        at = clock.at(moment["at"])
        limits.append((at, float(moment["limit"])))
        errors.append((at, float(sum(moment["errors"].values()))))
    return limits, errors if any(value for _, value in errors) else []


def format_share(part: float, whole: float) -> str:
    """A percentage; a dash where there is nothing to share."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


__all__ = [
    "escape_text",
    "format_share",
    "render_coverage",
    "render_duplicates",
    "render_endpoint",
    "render_rejects",
    "render_section",
    "render_spending",
    "render_table",
    "render_yields",
]  # fmt: skip
