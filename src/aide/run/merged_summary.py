"""The counts of a run that was merged from parts, as `progress.json` and `summary.json` have them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from aide.card import card_from_toml
from aide.config.spec import RunSpec
from aide.journal import Journal
from aide.records import Seed, Usage
from aide.run import restore
from aide.run.context import count_thoughtful
from aide.run.deduplication import read_duplicate_thresholds
from aide.run.distribution_report import measure_run_distribution
from aide.run.drift_report import measure_drift
from aide.run.folder import RunFolder
from aide.run.progress import Progress, usage_by_step
from aide.run.pruning import read_pruned
from aide.run.seed_pool import SEED


def summarise_merged(
    root: RunFolder, journal: Journal, spec: RunSpec, parts: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What a run over the root would say at its end; `parts` are the summaries of the parts."""
    seeds = [Seed.from_dict(id, row) for id, row in journal.read_decisions(SEED)]
    out = read_pruned(journal)
    progress = _count(journal, spec, seeds, out, parts)
    counts = progress.as_dict()
    card_text = journal.get_meta("card")
    card = card_from_toml(card_text) if card_text else None
    short = progress.target is not None and progress.accepted < progress.target
    first = next((each for each in parts if each), {})
    return {
        **counts,
        "exit_code": 6 if short or (progress.accepted == 0 and progress.target != 0) else 0,
        "stopped": "",
        "format": card.format if card else "",
        "steps": usage_by_step(journal.sum_usage()),
        "endpoints": add_endpoints(parts),
        "journal_bytes": journal.measure_size(),
        **({"exam": first["exam"]} if "exam" in first else {}),
        **({"thoughtful": count_thoughtful(journal)} if "thoughtful" in first else {}),
        "gone_seeds": first.get("gone_seeds", []),
        "waiting_labels": first.get("waiting_labels", {}),
        "duplicate_from": read_duplicate_thresholds(journal),
        "drift": measure_drift(journal, {seed.id: seed.draft.input for seed in seeds}, out),
        "realism": first.get("realism", {}),
        "distribution": measure_run_distribution(journal, seeds, card, out=out) if card else {},
    }


def _count(
    journal: Journal,
    spec: RunSpec,
    seeds: Sequence[Seed],
    out: Mapping[str, str],
    parts: Sequence[Mapping[str, Any]],
) -> Progress:
    progress = Progress()
    count_journal(progress, journal, out)
    progress.target = spec.compute_target(len(seeds))
    progress.possible = sum(each.get("possible", 0) for each in parts)
    progress.without_attributes = sum(each.get("barren", 0) for each in parts)
    progress.reasons_without_attributes.update(restore.read_reasons_without_attributes(journal))
    return progress


def count_journal(progress: Progress, journal: Journal, out: Collection[str] | None = None) -> None:
    """Set what a journal tells of outcomes and of spending; `out` are the records that were pruned."""
    out = read_pruned(journal) if out is None else out
    progress.accepted = progress.rejected = progress.failed = progress.surplus = progress.pruned = 0
    progress.planned = 0
    progress.by_hop, progress.by_label, progress.reasons = Counter(), Counter(), Counter()
    for outcome in journal.read_outcomes("accepted", "rejected", "failed", "surplus", payload=False):
        kind = "pruned" if outcome.node in out else outcome.kind
        progress.count_outcome(kind, outcome.depth, outcome.label)
        progress.planned += 1
    refused = journal.read_outcomes("rejected", "failed")
    progress.reasons.update(orjson.loads(outcome.payload)["reason"] for outcome in refused)
    rows = journal.sum_usage()
    progress.usage = sum((usage for _, _, usage, _ in rows), Usage())
    costs = [cost for *_, cost in rows if cost is not None]
    progress.cost = sum(costs) if len(costs) == len(rows) else None


def add_endpoints(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the parts tell of each endpoint together: counts are added, the rest is that of the first."""
    found: dict[str, Any] = {}
    for part in parts:
        for name, told in (part.get("endpoints") or {}).items():
            found[name] = add_counts(found[name], told) if name in found else told
    return found


def add_counts(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables of counts together: whole numbers are added, of what else both have that of the first stays."""
    return {
        name: _add(one[name], other[name])
        if name in one and name in other
        else one.get(name, other.get(name))
        for name in dict.fromkeys([*one, *other])
    }


def _add(one: Any, other: Any) -> Any:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return add_counts(one, other)
    whole = isinstance(one, int) and isinstance(other, int) and not isinstance(one, bool)
    return one + other if whole else one
