"""What the demo tells of a run: a seed with what grew from it, and a text that did not pass at once."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from aide.journal import Journal, Outcome
from aide.records import PLAIN, Lineage, Triple, read_output, read_varying
from aide.run.folder import RunFolder
from aide.run.record_calls import RecordCalls
from aide.run.seed_pool import SEED

CHILDREN: Final = 3
_DRAFT: Final = re.compile(r"<draft>\n?(.*?)\n?</draft>", re.DOTALL)
_CRITIQUE: Final = re.compile(r"<critique>\n?(.*?)\n?</critique>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TreeIds:
    """The part of a tree that is shown: a seed, some of its children, and a child of one of these."""

    seed: str
    children: tuple[str, ...]
    grandchild: str


@dataclass(frozen=True, slots=True)
class Mending:
    """A text that did not pass, why, and what it became."""

    id: str
    before: str
    reason: str
    after: str
    """Empty where it was refused for good."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A seed or a record, with what it is about where something was to grow from it, and what grew."""

    text: str
    answer: str
    lineage: Lineage | None
    """`None` for a seed."""
    scores: Mapping[str, Any]
    triples: Sequence[Triple]
    personas: Sequence[str]
    children: Sequence["Growth"]

    def measure(self) -> int:
        """Characters of all its texts."""
        return len(self.text) + len(self.answer) + sum(child.measure() for child in self.children)


def read_growth(folder: RunFolder, ids: TreeIds) -> Growth:
    """The texts of that part of a tree, seed first."""
    with Journal.open(folder.journal, readonly=True) as journal:
        return _read_node(journal, ids.seed, ids)


def _read_node(journal: Journal, id: str, ids: TreeIds) -> Growth:
    outcome = journal.get_outcome(id)
    line = orjson.loads(outcome.payload) if outcome else journal.get_decision(SEED, id) or {}
    planted = journal.get_outcome(id, planted=True)
    about = orjson.loads(planted.payload) if planted else {"triples": [], "personas": []}
    lineage = Lineage.from_dict(line["lineage"]) if outcome else None
    below = ids.children if id == ids.seed else ()
    if id in ids.children and _find_parent(journal, ids.grandchild) == id:
        below = (ids.grandchild,)
    return Growth(
        read_varying(line), read_output(line), lineage, line.get("scores", {}),
        [Triple(**each) for each in about["triples"]], about["personas"],
        [_read_node(journal, each, ids) for each in below],
    )  # fmt: skip


def _find_parent(journal: Journal, id: str) -> str:
    outcome = journal.get_outcome(id)
    return outcome.parent if outcome else ""


# --- chosen when a run is recorded --------------------------------------------------------------------


def choose_tree(journal: Journal) -> TreeIds | None:
    """A seed with three children of different operations, one of which has a child; `None` if none has a grandchild.

    Guided children go before plain ones, and those that grew along a triple before all others.
    """
    below: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in journal.read_outcomes("accepted", payload=False):
        below[outcome.parent].append(outcome)
    found: list[tuple[int, TreeIds]] = []
    for seed, _ in journal.read_decisions(SEED):
        parents = [child for child in below[seed] if below[child.node]]
        for parent in sorted(parents, key=_rank)[:1]:
            others = _pick_distinct([each for each in below[seed] if each is not parent], CHILDREN - 1)
            grandchild = min(below[parent.node], key=_rank)
            children = (*(each.node for each in others), parent.node)
            worth = sum(2 - _rank(each) for each in (*others, parent))
            found.append((worth, TreeIds(seed, children, grandchild.node)))
    return max(found, key=lambda each: each[0])[1] if found else None


def _pick_distinct(children: Sequence[Outcome], count: int) -> list[Outcome]:
    """The best ranked children, one an operation."""
    first: dict[str, Outcome] = {}
    for child in children:
        first.setdefault(child.operation, child)
    return sorted(first.values(), key=_rank)[:count]


def _rank(outcome: Outcome) -> int:
    return {PLAIN: 2, "persona": 1}.get(outcome.operation, 0)


def choose_mending(journal: Journal) -> Mending | None:
    """A candidate that the judge refused for good, else a text that was written again: of whichever most is said."""
    refused = [
        Mending(line["id"], line["input"], line["detail"], "")
        for outcome in journal.read_outcomes("rejected")
        if (line := orjson.loads(outcome.payload)).get("input") and line["step"] == "reflect"
    ]
    found = refused or list(_list_revised(journal))
    return max(found, key=lambda each: len(each.reason), default=None)


def _list_revised(journal: Journal) -> Iterator[Mending]:
    lines = [orjson.loads(each.payload) for each in journal.read_outcomes("accepted")]
    revised = {line["id"]: line for line in lines if line["revisions"]}
    calls = RecordCalls(journal, set(revised))
    for id, line in revised.items():
        for each in calls.read(id):
            before, critique = _DRAFT.findall(each.call.user), _CRITIQUE.findall(each.call.user)
            if each.call.step == "revise" and before and critique and before[-1] != read_varying(line):
                yield Mending(id, before[-1], critique[-1], read_varying(line))
