"""What a report shows, read from a run folder in a few passes that hold counts and a sample, never all texts."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from sys import intern
from typing import Any, Final, NamedTuple

import orjson

from aide.dataset.reviews import ReviewCounts
from aide.dataset.statistics import tabulate
from aide.formats.label_sets import read_label_set
from aide.journal import Journal
from aide.metrics.drift import measure_likeness
from aide.records import Usage, read_varying
from aide.report.reviewed_outcomes import ReviewedOutcomes
from aide.run.deduplication import LEXICAL
from aide.run.document_report import name_document
from aide.run.drift_report import measure_drift
from aide.run.folder import RunFolder
from aide.run.judge_groups import REAL, count_real
from aide.run.parts_progress import read_counts
from aide.run.seed_pool import SEED

SAMPLE: Final = 5000
"""Records in the browser and in the picture: all of a run, or half as many and their ancestors."""

EXAMPLES: Final = 3
"""Candidates that are shown for each reason of rejects."""

_ORIGINAL: Final = re.compile(r"\bof ([0-9a-f]{20})\b")
"""Where the detail of a rejected duplicate names what it repeats."""

_WRITING_STEPS: Final = ("synthesize", "revise")


@dataclass(slots=True)
class NodeCounts:
    """Counts over all nodes of a run."""

    hops: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Kinds of outcomes by hop."""
    operations: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Kinds of outcomes by operation."""
    grades: dict[str, dict[int, Counter[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counter))
    )
    """How often each grade was given, by its name and by hop."""
    labels: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Kinds of outcomes by label."""
    formats: Counter[str] = field(default_factory=Counter)
    """Accepted records by format."""
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Accepted records by topic and operation."""
    offered: Counter[tuple[str, str]] = field(default_factory=Counter)
    """`triples` and `personas` that were extracted, by topic."""
    documents: Counter[str] = field(default_factory=Counter)
    """Accepted records by the file of the document that they are about."""
    reasons: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """Rejects by step, reason and hop."""
    yields: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Kinds of the children's outcomes, by parent: of the seeds and of the records shown only."""


@dataclass(slots=True)
class ReportFacts:
    """Everything that a report shows."""

    folder: RunFolder
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]
    seeds: dict[str, Mapping[str, Any]]
    """Seeds by id."""
    counts: NodeCounts
    accepted: int
    """How many records the run has, as pruning and reviews have left them."""
    records: list[dict[str, Any]]
    """The records shown, each with its `likeness` to its seed."""
    rejects: list[dict[str, Any]]
    """Rejects whose parent is shown."""
    examples: dict[str, list[dict[str, Any]]]
    """Some rejects of each reason, each with the text of its candidate and of the `original` it repeats."""
    duplicates: Counter[str]
    """Duplicates among all drafts, by the check that found them."""
    drift: Mapping[str, Any]
    """The run's own drift report."""
    likeness: dict[int, list[float]]
    """Likeness to the seed of the records shown, by hop; the same measure as in `drift`."""
    steps: list[tuple[str, str, Usage, float | None]]
    """Step, model, usage and cost; the cost is `None` if no price is known."""
    reviews: ReviewCounts | None = None
    """How many records a person decided about, and how; `None` where nobody did."""
    judged_real: Mapping[str, Any] = field(default_factory=dict)
    """How the judge read real texts among new ones; see `run.judge_groups.count_real`."""
    vectors: dict[str, str] = field(default_factory=dict)
    """Embeddings of seeds, records and rejects by id, packed for the map; empty where the run has none."""


def gather_facts(folder: RunFolder, journal: Journal) -> ReportFacts:
    """Read a run. Memory grows with the sample and with the number of parents, not with the texts."""
    settled = ReviewedOutcomes(journal, folder)
    reviews = settled.reviews
    counts = NodeCounts()
    seeds: dict[str, Mapping[str, Any]] = dict(journal.read_decisions(SEED))
    shown = _choose_shown(journal, settled.left_out) | settled.added
    topics = _read_topics(journal, counts, settled.pruned)
    accepted, records = _read_accepted(settled, counts, shown, topics)
    parents = {record["lineage"]["parent_id"] for record in records} | shown
    rejects, examples = _read_rejected(settled, counts, parents)
    _add_texts(journal, examples)
    inputs = {id: str(seed["input"]) for id, seed in seeds.items()}
    ended = folder.read_summary()
    # A summary with another count is of an earlier run, and so is its drift report.
    same = ended.get("accepted") == accepted and not reviews.decided
    return ReportFacts(
        folder=folder,
        manifest=folder.read_manifest(),
        # The progress is newer than the summary if the run goes on, or was killed.
        summary={**ended, **read_counts(folder)},
        seeds=seeds,
        counts=counts,
        accepted=accepted,
        records=records,
        rejects=rejects,
        examples=examples,
        duplicates=Counter(value.split(" ")[0] for _, value in journal.read_decisions(LEXICAL) if value),
        drift=(ended.get("drift") if same else None) or measure_drift(journal, inputs, settled.left_out),
        likeness=_measure_likeness(records, inputs),
        steps=journal.sum_usage(),
        reviews=reviews.count() if reviews.decided else None,
        judged_real=count_real([each for _, each in journal.read_decisions(REAL)]),
    )


def _read_topics(journal: Journal, counts: NodeCounts, pruned: Collection[str]) -> dict[str, str]:
    """The topic of each parent; what its triples and personas offer is counted."""
    topics: dict[str, str] = {}
    for outcome in journal.read_outcomes("planted"):
        if outcome.node in pruned:
            continue
        found = orjson.loads(outcome.payload)
        # Many parents have one topic: interned, it is in memory once.
        topic = topics[outcome.node] = intern(found["topic"].casefold().strip())
        for matter, offered in found.items():
            counts.offered[topic, matter] += len(offered) if isinstance(offered, list) else 0
    return topics


def _choose_shown(journal: Journal, left_out: Collection[str]) -> set[str]:
    """The records to show, and all their ancestors, so that each one's way to its seed is whole.

    Ids are hashes, so the smallest ones are a fair sample.
    """
    most = SAMPLE if journal.count_outcomes().get("accepted", 0) <= SAMPLE else SAMPLE // 2
    rows = journal.read_outcomes("accepted", payload=False)
    shown = set(nsmallest(most, (row.node for row in rows if row.node not in left_out)))
    fresh = shown
    # A pass over the journal for each hop, and none of the other records held: a run may have a million.
    while fresh:
        rows = journal.read_outcomes("accepted", payload=False)
        above = {row.parent for row in rows if row.node in fresh} - shown
        rows = journal.read_outcomes("accepted", payload=False)
        fresh = (
            {row.node for row in rows if row.node in above and row.node not in left_out} if above else set()
        )
        shown |= fresh
    return shown


def _read_accepted(
    settled: ReviewedOutcomes,
    counts: NodeCounts,
    shown: Collection[str],
    topics: Mapping[str, str],
) -> tuple[int, list[dict[str, Any]]]:
    """How many records there are, and those to show."""
    accepted, records = 0, []
    for outcome, kind, line in settled.read_records():
        counts.hops[outcome.depth][kind] += 1
        counts.operations[outcome.operation][kind] += 1
        if outcome.parent in shown or outcome.parent == outcome.seed:
            counts.yields[outcome.parent][kind] += 1
        if kind == "pruned":
            continue
        accepted += 1
        counts.formats[line["format"]] += 1
        _count_labels(counts, line, kind)
        for name, value in line["scores"].items():
            if isinstance(value, int) and not isinstance(value, bool):  # `correct` is no grade
                counts.grades[name][outcome.depth][value] += 1
        topic = str(line["lineage"].get("topic", "")).casefold() or topics.get(outcome.parent, "")
        counts.coverage[topic, outcome.operation] += 1
        if document := name_document(line):
            counts.documents[document] += 1
        if outcome.node in shown:
            records.append(line)
    return accepted, records


def _count_labels(counts: NodeCounts, line: Mapping[str, Any], kind: str) -> None:
    for label in list_labels(line["lineage"].get("label")):
        counts.labels[label][kind] += 1


def list_labels(label: str | None) -> tuple[str, ...]:
    """The labels that a lineage or an output names: one, the members of a set, or none."""
    if not label:
        return ()
    return read_label_set(label) or (label,)


def _read_rejected(
    settled: ReviewedOutcomes, counts: NodeCounts, parents: Collection[str]
) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """Rejects of shown parents, up to a bound, and a few of each reason as examples; all are counted."""
    kept: list[dict[str, Any]] = []
    examples: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for outcome, kind, told in settled.read_rejects():
        counts.hops[outcome.depth][kind] += 1
        counts.operations[outcome.operation][kind] += 1
        if outcome.parent in parents or outcome.parent == outcome.seed:
            counts.yields[outcome.parent][kind] += 1
        if kind == "surplus":  # a record beyond the target: nothing is wrong with it
            continue
        line = {"input": "", "original": "", **told}
        _count_labels(counts, line, kind)
        counts.reasons[line["step"], line["reason"], outcome.depth] += 1
        if len(examples[line["reason"]]) < EXAMPLES:
            examples[line["reason"]].append(line)
        if outcome.parent in parents and len(kept) < SAMPLE:
            kept.append(line)
    return kept, examples


def _add_texts(journal: Journal, examples: Mapping[str, list[dict[str, Any]]]) -> None:
    """Give each example that has none the text of its candidate, from the call that wrote it; and that of its original.

    Rejects of older versions have no text of their own.
    """
    lines = {line["id"]: line for group in examples.values() for line in group}
    ids = journal.find_call_ids({id for id, line in lines.items() if not line["input"]})
    for call in journal.read_calls_at(id for each in ids.values() for id in each):
        if call.step in _WRITING_STEPS:
            lines[call.node]["input"] = read_model_text(call.body)
    for line in lines.values():
        if match := _ORIGINAL.search(line["detail"]):
            outcome = journal.get_outcome(match[1])
            known = orjson.loads(outcome.payload) if outcome else journal.get_decision(SEED, match[1]) or {}
            line["original"] = known.get("input", "")


def read_model_text(body: bytes) -> str:
    """What a model wrote, as it came; the whole body if it holds no message."""
    try:
        content = orjson.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        content = None
    return content if isinstance(content, str) else body.decode("utf-8", "replace")


def _measure_likeness(records: Sequence[dict[str, Any]], seeds: Mapping[str, str]) -> dict[int, list[float]]:
    """Likeness to the seed by hop, for the records shown; each record keeps its own as `likeness`."""
    by_hop: dict[int, list[float]] = defaultdict(list)
    # Seed by seed, so that the words of a seed are found once, however many seeds there are.
    for record in sorted(records, key=lambda each: str(each["lineage"]["seed_id"])):
        seed = seeds.get(record["lineage"]["seed_id"], "")
        record["likeness"] = round(measure_likeness(read_varying(record), seed), 3)
        by_hop[record["lineage"]["hop"]].append(record["likeness"])
    return dict(sorted(by_hop.items()))


def read_comparison(folder: RunFolder) -> dict[str, Any]:
    """The measures of this run beside human data, as `aide stats DIR --human FILE` left them in `stats.json`.

    Empty if there is no such file, or none that compares.
    """
    stats = folder.read_stats()
    both = stats.get("against")
    if not both:
        return {}
    return {
        "rows": tabulate(both["these"], both["those"]),
        "files": ", ".join(both.get("files", ())),
        "texts": both.get("texts"),
        "records": stats.get("records"),
    }


class LoadSample(NamedTuple):
    """A moment of `timeline.jsonl`: Unix time, calls that might be in flight, failed attempts so far."""

    at: float
    limit: float
    errors: float


def read_timeline(folder: RunFolder) -> Iterator[LoadSample]:
    """The samples of `timeline.jsonl`; a line that is none is left out.

    A full disk or a loss of power tears lines, also in the middle, where a later run has appended to them.
    """
    if folder.timeline.is_file():
        for line in folder.timeline.read_bytes().split(b"\n"):
            try:
                facts = orjson.loads(line)
                errors = float(sum(facts["errors"].values()))
                sample = LoadSample(float(facts["at"]), float(facts["limit"]), errors)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
            yield sample
