"""The part of a report that its script reads: seeds, records and prompts, compressed and free of any markup."""

import re
import zlib
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from markupsafe import Markup

from aide.journal import AnsweredCall, Journal
from aide.jsonl import encode_json
from aide.records import Lineage, read_output, read_varying, show_chat
from aide.report.gather import ReportFacts, list_labels, read_model_text
from aide.run.record_calls import RecordCalls

LONGEST_REJECT: Final = 2_000
"""Characters of the text of a reject."""

LONGEST: Final = 12_000
"""Characters of one text; the rest stays in the journal."""

BATCH: Final = 100
"""Records whose calls are unpacked together: the script finds a record's batch by dividing by this number."""

PACKED_BYTES: Final = 1_800_000
"""All that is packed in one report, base64 included: a page below two megabytes opens at once, also from a mail."""

DATA_BYTES: Final = 1_500_000
"""Packed seeds, records and rejects; the calls take what is left."""

REJECT_CHARACTERS: Final = 600_000
"""Characters of all texts of rejects in one report, uncompressed: the records come first."""

LONGEST_LABEL: Final = 120
"""Characters of a label."""

LONGEST_REASON: Final = 80
"""Characters of the reason of a reject."""

_LEAST_RECORDS: Final = 100
_INVISIBLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def make_visible(text: str, longest: int = LONGEST) -> str:
    """A text with nothing that acts unseen: control characters and direction overrides as their code points.

    A text of more than `longest` characters is cut, and says so.
    """
    over = len(text) - longest
    if over > 0:
        text = f"{text[:longest]}… ({over:,} more characters are in the run folder)"
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def show_text(value: object, longest: int = 600) -> Markup:
    """Anything from outside as text of a page: visible, escaped, in a direction of its own."""
    return Markup("<bdi>{}</bdi>").format(make_visible(str(value), longest))


def pack_json(value: Any) -> str:
    """JSON, deflated, in base64: letters and digits only, so nothing in it can end a script or be read as markup."""
    return b64encode(zlib.compress(encode_json(value), 5)).decode()


def build_rows(facts: ReportFacts) -> dict[str, Any]:
    """Seeds, records and rejects as rows; parents are row numbers, seeds first."""
    yields = facts.counts.yields
    rows: dict[str, int] = {}
    seeds = []
    # In this order the style sheet has a colour for each; `kinds` has the same.
    labels = sorted(facts.counts.labels)
    places = {label: place for place, label in enumerate(labels)}
    for id, seed in facts.seeds.items():
        rows[id] = len(rows)
        texts = (
            make_visible(str(seed["name"]), 80),
            make_visible(show_chat(seed) or seed["input"]),
            make_visible(seed["output"]),
        )
        seeds.append([id, *texts, *_count_children(yields, id), _find_places(seed["output"], places)])
    records = []
    for record in facts.records:
        rows[record["id"]] = len(rows)
        found = _find_places(record["lineage"].get("label"), places)
        records.append(_build_record(record, rows, yields, found))
    lost = [line for line in facts.rejects if line["lineage"]["parent_id"] in rows]
    told = _choose_told(lost)
    rejects = [
        _build_reject(line, rows, told, _find_places(line["lineage"].get("label"), places)) for line in lost
    ]
    reasons = [make_visible(reason, LONGEST_REASON) for reason in list_reasons(facts)]
    known = {*rows, *told}
    vectors = {id: packed for id, packed in facts.vectors.items() if id in known}
    return {
        "seeds": seeds,
        "records": records,
        "rejects": rejects,
        "labels": [make_visible(label, LONGEST_LABEL) for label in labels],
        "reasons": reasons,
        "vectors": vectors,
    }


def list_reasons(facts: ReportFacts) -> list[str]:
    """The reasons of all rejects, in the order of the alphabet: the page names one by its place."""
    return sorted({reason for _, reason, _ in facts.counts.reasons})


def _find_places(label: Any, places: Mapping[str, int]) -> list[int]:
    """The places of the labels that a lineage or an output names; none for an output that is no label of this run."""
    return [places[each] for each in list_labels(label) if each in places] if isinstance(label, str) else []


def _build_record(
    record: Mapping[str, Any], rows: Mapping[str, int], yields: Mapping[str, Any], labels: Sequence[int]
) -> list[Any]:
    """A record's row; `script/base.js` names the places in the same order."""
    lineage, scores = record["lineage"], record["scores"]
    inner = show_chat(record) or read_varying(record)
    return [
        record["id"], rows.get(lineage["parent_id"], rows.get(lineage["seed_id"], 0)), lineage["hop"],
        make_visible(lineage["operation"], 60), make_visible(Lineage.from_dict(lineage).origin, 300),
        int(lineage["anchored"]), scores.get("relevance"), scores.get("diversity"), record["likeness"],
        record["revisions"], make_visible(inner), make_visible(read_output(record)),
        [make_visible(each, 2000) for each in record.get("choices", ())],
        make_visible(record["input"], 3000) if inner != record["input"] and not record.get("turns") else "",
        *_count_children(yields, record["id"]), make_visible(record["model"], 80),
        labels, make_visible(record["format"], 60),
        int(bool(lineage.get("persona"))), scores.get("agreement"),
    ]  # fmt: skip


def _choose_told(rejects: Iterable[Mapping[str, Any]]) -> set[str]:
    """The rejects whose text is shown: ids are hashes, so the smallest ones are a fair sample."""
    room, told = REJECT_CHARACTERS, set()
    for line in sorted(rejects, key=itemgetter("id")):
        room -= min(len(line["input"]), LONGEST_REJECT)
        if room < 0:
            break
        told.add(line["id"])
    return told


def _build_reject(
    line: Mapping[str, Any], rows: Mapping[str, int], told: Collection[str], labels: Sequence[int]
) -> list[Any]:
    lineage = line["lineage"]
    operation = make_visible(lineage["operation"], 60)
    detail = make_visible(line["detail"], 300)
    parent = rows[lineage["parent_id"]]
    text = make_visible(str(line["input"]), LONGEST_REJECT) if line["id"] in told else ""
    step, reason = make_visible(line["step"], 60), make_visible(line["reason"], LONGEST_REASON)
    return [
        line["id"],
        parent,
        lineage["hop"],
        operation,
        step,
        reason,
        detail,
        text,
        labels,
        int(line["failed"]),
    ]


def _count_children(yields: Mapping[str, Any], id: str) -> tuple[int, int]:
    """Accepted children and others."""
    counts = yields.get(id) or {}
    accepted = counts.get("accepted", 0)
    return accepted, sum(counts.values()) - accepted


def fit_rows(facts: ReportFacts) -> str:
    """The packed rows within their bound: where texts are long, the later hops lose records first.

    In this order no record loses its parent before itself.
    """
    packed = pack_json(build_rows(facts))
    while len(packed) > DATA_BYTES and len(facts.records) > _LEAST_RECORDS:
        keep = max(_LEAST_RECORDS, int(len(facts.records) * 0.9 * DATA_BYTES / len(packed)))
        facts.records = sorted(facts.records, key=lambda record: record["lineage"]["hop"])[:keep]
        packed = pack_json(build_rows(facts))
    return packed


def pack_calls(journal: Journal, records: list[dict[str, Any]], capacity: int) -> Iterator[str]:
    """Packed batches of what was sent and what came back, for as many of the first records as fit in `capacity`.

    A call that records of a batch share is in it once; `shared` names the groups of each record, and their sizes.
    """
    known = RecordCalls(journal, {record["id"] for record in records})
    groups = {record["id"]: known.groups_of(record["id"]) for record in records}
    ids = journal.find_call_ids({*groups, *(group for each in groups.values() for group in each)})
    for start in range(0, len(records), BATCH):
        some = {id: groups[id] for id in [record["id"] for record in records[start : start + BATCH]]}
        nodes = dict.fromkeys(node for id, shared in some.items() for node in (*shared, id))
        calls = journal.read_calls_at([call for node in nodes for call in ids.get(node, ())])
        packed = pack_json(
            {**_build_batch(calls), "shared": {id: list(each.items()) for id, each in some.items()}}
        )
        capacity -= len(packed)
        if capacity < 0:
            return
        yield packed


def _build_batch(calls: Iterable[AnsweredCall]) -> dict[str, Any]:
    """Calls by node, their prompts as numbers of lines.

    Prompts of siblings share most of their lines, so each line is in a batch once.
    """
    lines: dict[str, int] = {}
    systems: dict[str, list[int]] = {}
    nodes: dict[str, list[Any]] = {}

    def number_lines(text: str) -> list[int]:
        return [lines.setdefault(line, len(lines)) for line in text[:LONGEST].split("\n")]

    for call in calls:
        if call.system not in systems:
            systems[call.system] = number_lines(call.system)
        usage = call.usage
        user = number_lines(call.user)
        if len(call.user) > LONGEST:
            user += number_lines(f"… ({len(call.user) - LONGEST:,} more characters are in the run folder)")
        row = [
            call.step, call.draw, call.attempt, make_visible(call.answered_by, 80),
            usage.prompt, usage.completion, round(call.seconds, 2),
            systems[call.system], user, make_visible(read_model_text(call.body)),
        ]  # fmt: skip
        nodes.setdefault(call.node, []).append(row)
    return {"lines": [make_visible(line) for line in lines], "nodes": nodes}
