"""The part of a report that its script reads: records, forest and prompts, packed small and free of any markup."""

import re
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from aide.journal import AnsweredCall, Journal
from aide.records import read_varying
from aide.report.gather import ReportFacts, read_model_text

LONGEST: Final = 12_000  # characters of one text; the rest stays in the journal
BATCH: Final = 100  # records whose calls are unpacked together
CALL_BYTES: Final = 1_200_000  # packed calls in one report, base64 included
DATA_BYTES: Final = 2_200_000  # records in one report, base64 included
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def make_visible(text: str, longest: int = LONGEST) -> str:
    """A text with nothing that acts unseen: control characters and direction overrides as their code points.

    What is longer than `longest` characters is cut, and says so.
    """
    over = len(text) - longest
    if over > 0:
        text = f"{text[:longest]}… ({over:,} more characters are in the run folder)"
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def pack_json(value: Any) -> str:
    """JSON, deflated, in base64: letters and digits only, so nothing in it can end a script or be read as markup."""
    return b64encode(zlib.compress(orjson.dumps(value), 5)).decode()


def build_rows(facts: ReportFacts) -> dict[str, Any]:
    """Seeds and records as rows; parents are row numbers, seeds first.

    A record's row: id, parent, hop, operation, along, anchored, relevance, diversity, likeness, revisions, input,
    output, choices, whole input where it has fixed parts, accepted children, other children, pruned or not.
    """
    yields = facts.tally.yields
    rows: dict[str, int] = {}
    seeds = []
    for id, seed in facts.seeds.items():
        rows[id] = len(rows)
        seeds.append(
            [
                id,
                make_visible(str(seed["name"]), 80),
                make_visible(seed["input"]),
                make_visible(seed["output"]),
                *_children(yields, id),
            ]
        )
    records = []
    for record in facts.records:
        rows[record["id"]] = len(rows)
        records.append(_row(record, rows, yields))
    rejects = [_reject(line, rows) for line in facts.rejects if line["lineage"]["parent_id"] in rows]
    return {"seeds": seeds, "records": records, "rejects": rejects}


def _row(record: Mapping[str, Any], rows: Mapping[str, int], yields: Mapping[str, Any]) -> list[Any]:
    lineage, scores = record["lineage"], record["scores"]
    inner = read_varying(record)
    return [
        record["id"], rows.get(lineage["parent_id"], rows.get(lineage["seed_id"], 0)), lineage["hop"],
        make_visible(lineage["operation"], 60), make_visible(_along(lineage), 300), int(lineage["anchored"]),
        scores.get("relevance"), scores.get("diversity"), record["likeness"], record["revisions"],
        make_visible(inner), make_visible(record["output"]),
        [make_visible(each, 2000) for each in record.get("choices", ())],
        make_visible(record["input"], 3000) if inner != record["input"] else "", *_children(yields, record["id"]),
        make_visible(record["model"], 80),
    ]  # fmt: skip


def _reject(line: Mapping[str, Any], rows: Mapping[str, int]) -> list[Any]:
    lineage = line["lineage"]
    return [
        line["id"], rows[lineage["parent_id"]], lineage["hop"], make_visible(lineage["operation"], 60),
        line["step"], line["reason"], make_visible(line["detail"], 300),
    ]  # fmt: skip


def _children(yields: Mapping[str, Any], id: str) -> tuple[int, int]:
    counts = yields.get(id, {})
    good = counts.get("accepted", 0) if counts else 0
    return good, sum(counts.values()) - good if counts else 0


def _along(lineage: Mapping[str, Any]) -> str:
    triple = lineage["triple"]
    return (
        " · ".join((triple["topic"], triple["relation"], triple["attribute"]))
        if triple
        else lineage["persona"] or ""
    )


def fit_rows(facts: ReportFacts) -> str:
    """The packed forest within its bound: where texts are long, the later hops of the sample lose records first."""
    packed = pack_json(build_rows(facts))
    while len(packed) > DATA_BYTES and len(facts.records) > 100:
        keep = max(100, int(len(facts.records) * 0.9 * DATA_BYTES / len(packed)))
        facts.records = sorted(facts.records, key=lambda record: record["lineage"]["hop"])[:keep]
        packed = pack_json(build_rows(facts))
    return packed


def pack_calls(journal: Journal, records: list[dict[str, Any]], room: int = CALL_BYTES) -> Iterator[str]:
    """Packed batches of what was sent and what came back, for the first records, as many as the bound holds.

    Prompts of siblings share most of their lines, so each line stands once in a batch.
    """
    ids = journal.call_ids({record["id"] for record in records})
    for start in range(0, len(records), BATCH):
        batch = [id for record in records[start : start + BATCH] for id in ids.get(record["id"], ())]
        packed = pack_json(_batch(journal.calls_at(batch)))
        room -= len(packed)
        if room < 0:
            return
        yield packed


def _batch(calls: Iterable[AnsweredCall]) -> dict[str, Any]:
    lines: dict[str, int] = {}
    systems: dict[str, list[int]] = {}
    nodes: dict[str, list[Any]] = {}

    def numbers(text: str) -> list[int]:
        return [lines.setdefault(line, len(lines)) for line in text[:LONGEST].split("\n")]

    for call in calls:
        if call.system not in systems:
            systems[call.system] = numbers(call.system)
        usage = call.usage
        user = numbers(call.user)
        if len(call.user) > LONGEST:
            user += numbers(f"… ({len(call.user) - LONGEST:,} more characters are in the run folder)")
        row = [
            call.step, call.draw, call.attempt, make_visible(call.answered_by, 80),
            usage.prompt, usage.completion, round(call.seconds, 2),
            systems[call.system], user, make_visible(read_model_text(call.body)),
        ]  # fmt: skip
        nodes.setdefault(call.node, []).append(row)
    return {"lines": [make_visible(line) for line in lines], "nodes": nodes}


__all__ = ["build_rows", "fit_rows", "make_visible", "pack_calls", "pack_json"]
