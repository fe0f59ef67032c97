"""What a report shows, read from a run folder in a few passes that hold counts and a sample, never all texts."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from sys import intern
from typing import Any, Final

import orjson

from aide.dataset.statistics import tabulate
from aide.journal import Journal
from aide.metrics.drift import measure_likeness
from aide.records import read_varying
from aide.run.deduplication import DUPLICATE
from aide.run.drift_report import measure_drift
from aide.run.folder import RunFolder
from aide.run.inputs import SEED
from aide.run.pruning import read_pruned

# Records in the browser and the picture: all of a run, or half as many and those above them. Ids are hashes, so the
# smallest ones are a fair sample.
SAMPLE: Final = 5000
EXAMPLES: Final = 3  # of each reason
TWIN: Final = re.compile(r"\bof ([0-9a-f]{20})\b")

Counts = Counter[tuple[str, str]]


@dataclass(slots=True)
class NodeCounts:
    """Counts over all nodes of a run; `yields` of the seeds and of the records shown alone."""

    hops: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    operations: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    grades: dict[str, dict[int, Counter[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counter))
    )
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)
    offered: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    yields: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass(slots=True)
class ReportFacts:
    """Everything that a report shows.

    `drift` is the run's own meter, `likeness` by hop that of the records shown, by the same measure.
    """

    folder: RunFolder
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]
    seeds: dict[str, Mapping[str, Any]]
    tally: NodeCounts
    accepted: int
    records: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    examples: dict[str, list[dict[str, Any]]]
    twins: Counter[str]
    drift: Mapping[str, Any]
    likeness: dict[int, list[float]]
    steps: list[tuple[str, str, Any, float | None]]


def gather_facts(folder: RunFolder, journal: Journal) -> ReportFacts:
    """Read a run; memory grows with the sample and with the number of parents, not with the texts."""
    out = read_pruned(journal)
    tally = NodeCounts()
    seeds: dict[str, Mapping[str, Any]] = dict(journal.decisions(SEED))
    shown = _sample(journal, out)
    topics = _planted(journal, tally, out)
    accepted, records = _accepted(journal, tally, out, shown, topics)
    parents = {record["lineage"]["parent_id"] for record in records} | shown
    rejects, examples = _rejected(journal, tally, parents)
    _texts(journal, examples)
    inputs = {id: str(seed["input"]) for id, seed in seeds.items()}
    ended = folder.read_summary()
    told = ended.get("drift") if ended.get("accepted") == accepted else None  # else it is of an earlier run
    return ReportFacts(
        folder=folder,
        manifest=folder.read_manifest(),
        summary={**ended, **_progress(folder)},
        seeds=seeds,
        tally=tally,
        accepted=accepted,
        records=records,
        rejects=rejects,
        examples=examples,
        twins=Counter(value.split(" ")[0] for _, value in journal.decisions(DUPLICATE) if value),
        drift=told or measure_drift(journal, inputs, out),
        likeness=_likeness(records, inputs),
        steps=journal.usage(),
    )


def _progress(folder: RunFolder) -> dict[str, Any]:
    """The counts of a second ago at most; newer than the summary where a run goes on, or was killed."""
    loaded: dict[str, Any] = orjson.loads(folder.progress.read_bytes()) if folder.progress.exists() else {}
    return loaded


def _planted(journal: Journal, tally: NodeCounts, out: Collection[str]) -> dict[str, str]:
    """The topic of each parent; what its triples and personas offer is counted."""
    topics: dict[str, str] = {}
    for outcome in journal.outcomes("planted"):
        if outcome.node in out:
            continue
        found = orjson.loads(outcome.payload)
        topic = topics[outcome.node] = intern(found["topic"].casefold().strip())
        tally.offered[topic, "triples"] += len(found["triples"])
        tally.offered[topic, "personas"] += len(found["personas"])
    return topics


def _sample(journal: Journal, out: Collection[str]) -> set[str]:
    """The records to show, and all above them, so that each one's way to its seed is whole."""
    most = SAMPLE if journal.counts().get("accepted", 0) <= SAMPLE else SAMPLE // 2
    rows = journal.outcomes("accepted", payload=False)
    shown = set(nsmallest(most, (row.node for row in rows if row.node not in out)))
    fresh = shown
    while fresh:  # one pass for each hop: a run may have a million records, and none of the others is held
        rows = journal.outcomes("accepted", payload=False)
        above = {row.parent for row in rows if row.node in fresh} - shown
        rows = journal.outcomes("accepted", payload=False)
        fresh = {row.node for row in rows if row.node in above and row.node not in out} if above else set()
        shown |= fresh
    return shown


def _accepted(
    journal: Journal,
    tally: NodeCounts,
    out: Collection[str],
    shown: Collection[str],
    topics: Mapping[str, str],
) -> tuple[int, list[dict[str, Any]]]:
    count, records = 0, []
    for outcome in journal.outcomes("accepted"):
        kind = "pruned" if outcome.node in out else "accepted"
        tally.hops[outcome.depth][kind] += 1
        tally.operations[outcome.operation][kind] += 1
        if outcome.parent in shown or outcome.parent == outcome.seed:
            tally.yields[outcome.parent][kind] += 1
        if kind == "pruned":
            continue
        count += 1
        line = orjson.loads(outcome.payload)
        for name, value in line["scores"].items():
            if isinstance(value, int) and not isinstance(value, bool):
                tally.grades[name][outcome.depth][value] += 1
        tally.coverage[topics.get(outcome.parent, "").strip(), outcome.operation] += 1
        if outcome.node in shown:
            records.append(line)
    return count, records


def _rejected(
    journal: Journal, tally: NodeCounts, parents: Collection[str]
) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """Rejects are counted; those with a shown parent are kept up to a bound, and a few of each reason as examples."""
    kept: list[dict[str, Any]] = []
    examples: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for outcome in journal.outcomes("rejected", "failed", "surplus"):
        tally.hops[outcome.depth][outcome.kind] += 1
        tally.operations[outcome.operation][outcome.kind] += 1
        if outcome.parent in parents or outcome.parent == outcome.seed:
            tally.yields[outcome.parent][outcome.kind] += 1
        if outcome.kind == "surplus":
            continue
        line = orjson.loads(outcome.payload)
        tally.reasons[line["step"], line["reason"], outcome.depth] += 1
        if len(examples[line["reason"]]) < EXAMPLES:
            examples[line["reason"]].append(line)
        if outcome.parent in parents and len(kept) < SAMPLE:
            kept.append(line)
    return kept, examples


def _texts(journal: Journal, examples: Mapping[str, list[dict[str, Any]]]) -> None:
    """Give each example the text of its candidate, from the call that wrote it, and that of its twin."""
    lines = {line["id"]: line for group in examples.values() for line in group}
    ids = journal.call_ids(lines)
    for call in journal.calls_at(id for each in ids.values() for id in each):
        if call.step in ("synthesize", "revise"):
            lines[call.node]["input"] = read_model_text(call.body)
    for line in lines.values():
        if match := TWIN.search(line["detail"]):
            outcome = journal.outcome(match[1])
            seed = None if outcome else journal.decided(SEED, match[1])
            line["twin"] = (
                orjson.loads(outcome.payload).get("input", "") if outcome else (seed or {}).get("input", "")
            )


def read_model_text(body: bytes) -> str:
    """What a model wrote, as it came; the whole body where it holds no message."""
    try:
        content = orjson.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        content = None
    return content if isinstance(content, str) else body.decode("utf-8", "replace")


def _likeness(records: Sequence[dict[str, Any]], seeds: Mapping[str, str]) -> dict[int, list[float]]:
    """Likeness to the seed by hop, for the records shown; each record keeps its own as `likeness`."""
    by_hop: dict[int, list[float]] = defaultdict(list)
    # Seed by seed, so that the words of a seed are found once, however many seeds there are.
    for record in sorted(records, key=lambda each: str(each["lineage"]["seed_id"])):
        record["likeness"] = round(
            measure_likeness(read_varying(record), seeds.get(record["lineage"]["seed_id"], "")), 3
        )
        by_hop[record["lineage"]["hop"]].append(record["likeness"])
    return dict(sorted(by_hop.items()))


def read_comparison(folder: RunFolder) -> dict[str, Any]:
    """The measures of this run beside human data, as `aide stats DIR --against FILE` left them in `stats.json`.

    Empty where there is no such file, or none that compares.
    """
    told = orjson.loads(folder.stats.read_bytes()) if folder.stats.exists() else {}
    both = told.get("against")
    if not both:
        return {}
    return {
        "rows": tabulate(both["these"], both["those"]),
        "files": ", ".join(both.get("files", ())),
        "texts": both.get("texts"),
        "records": told.get("records"),
    }


def read_timeline(folder: RunFolder) -> Iterator[dict[str, Any]]:
    """The samples of `timeline.jsonl`; a torn last line is left out."""
    if folder.timeline.exists():
        for line in folder.timeline.read_bytes().split(b"\n")[:-1]:
            yield orjson.loads(line)


__all__ = ["NodeCounts", "ReportFacts", "gather_facts", "read_comparison", "read_model_text", "read_timeline"]
