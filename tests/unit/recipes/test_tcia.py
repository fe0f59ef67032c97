"""Queries under other constraints: what is made of a parent, the pool, what is held against text and answer."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.errors import InputError, NodeError, Rejection
from aide.frontier import PlantWork
from aide.recipes.contract import Found
from aide.recipes.tcia import AXES, POOL, Tcia, list_sets, make_decomposition_payload
from aide.records import Draft, Hop, Point, Record, Seed
from aide.run.inputs import read_inputs
from runs import SEEDS, aide, expand
from unit.recipes.scene import ANSWER, FRESH, INPUTS, Asked, grow, make_context, make_group, make_seed

QUERY = "How many cars cross?"
WAY = {
    "added": "Sundays count double",
    "query": QUERY,
    "constraints": ["Seven trips a day", "Sundays count double"],
}
GOOD = {
    "fault": "",
    "consistent": True,
    "self_contained": True,
    "complete": True,
    "obeyed": True,
    **dict.fromkeys(AXES, 9),
}
POINT = Point("parent", Draft(INPUTS[0], "40"), make_seed().parts, 0)


def decompose(
    *constraints: str, additions: tuple[str, ...] = (), replacements: tuple[tuple[int, str], ...] = ()
) -> str:
    replaced = [{"instead_of": place, "constraint": text} for place, text in replacements]
    return json.dumps(
        {
            "task": "a sum",
            "query": QUERY,
            "constraints": constraints,
            "additions": additions,
            "replacements": replaced,
        }
    )


def find_sets(said: str, wanted: tuple[int, int, int]) -> dict[str, list[dict[str, Any]]]:
    return list_sets(make_decomposition_payload(3, 3).read(said), wanted)


def plant(said: str, wanted: tuple[int, int, int] = (1, 1, 1), **pool: Any) -> tuple[Found, Asked]:
    ask, context = Asked(said), replace(make_context(), **pool)
    return asyncio.run(
        Tcia(context).plant(make_seed(), POINT, PlantWork("parent", "seed0", 0, wanted), ask)
    ), ask


def grow_one(said: dict[str, Any], **spec: Any) -> tuple[Record | Exception, Asked]:
    hop = Hop(make_seed(), POINT, 1, "add", way=WAY)
    texts = [FRESH, ANSWER, *([json.dumps(said)] if said else [])]
    (grown,), ask = grow(
        Tcia(make_context(answer="separate", max_revisions=0, **spec)), make_group(hop), *texts
    )
    assert ask.said == []
    return grown.outcome, ask


def test_equal_replacements_are_one() -> None:
    said = decompose("A", "B", replacements=((2, "D"), (1, "D"), (2, " D")))
    replaced = find_sets(said, (0, 0, 3))["replaced"]
    assert [way["constraints"] for way in replaced] == [["A", "D"], ["D", "B"]]


def test_sets_differ_from_the_parents_by_one_constraint() -> None:
    said = decompose("A", "B", additions=("C", "A"), replacements=((2, "D"), (1, "E")))
    found = find_sets(said, (3, 3, 3))
    assert [(way["added"], way["constraints"]) for way in found["added"]] == [("C", ["A", "B", "C"])]
    assert [(way["removed"], way["constraints"]) for way in found["removed"]] == [("A", ["B"]), ("B", ["A"])]
    assert [(way["removed"], way["added"], way["constraints"]) for way in found["replaced"]] == [
        ("B", "D", ["A", "D"]), ("A", "E", ["E", "B"]),
    ]  # fmt: skip
    assert all(way["query"] == QUERY for ways in found.values() for way in ways)


def test_no_more_sets_are_made_than_are_wanted_and_no_query_is_left_bare() -> None:
    assert [len(ways) for ways in find_sets(decompose("A", "B", "C"), (0, 1, 0)).values()] == [0, 1, 0]
    assert find_sets(decompose("A", additions=("B",)), (1, 1, 0))["removed"] == []


def test_a_replacement_for_a_constraint_that_is_not_there_takes_one_in_turn() -> None:
    found = find_sets(decompose("A", "B", replacements=((0, "C"), (9, "D"))), (0, 0, 2))
    assert [way["constraints"] for way in found["replaced"]] == [["C", "B"], ["A", "D"]]
    assert find_sets(decompose(replacements=((1, "C"),)), (0, 0, 1))["replaced"] == []


def test_where_nothing_is_as_wanted_a_constraint_more_is_offered() -> None:
    found, ask = plant(decompose("A", additions=("B",)), (0, 1, 0))
    assert found.count(("added", "removed", "replaced")) == (1, 0, 0)
    assert ask.asked[0]["additions"] == 1
    with pytest.raises(NodeError) as fault:
        plant(decompose("A", additions=("A",)), (0, 1, 0))
    assert fault.value.reason == "no_constraints"


def test_what_was_planted_can_be_journaled() -> None:
    found, _ = plant(decompose("A", "B", additions=("C",), replacements=((1, "D"),)))
    assert found.topic == "a sum"
    assert Found.from_dict(json.loads(json.dumps(found.as_dict()))) == replace(
        found, matters={name: tuple(ways) for name, ways in found.matters.items()}
    )


@pytest.mark.parametrize(
    ("seeds", "corpus", "borrowed"), [(12, 0, 0), (12, 20, 3), (2, 20, 4), (12, 1, 1), (0, 20, 6)]
)
def test_constraints_are_taken_from_seeds_and_corpus_in_equal_numbers(
    seeds: int, corpus: int, borrowed: int
) -> None:
    pool: dict[str, Any] = {
        "seeds": [make_seed(), *(Seed(f"s{n}", Draft(f"seed {n}")) for n in range(seeds))],
        "corpus": [f"corpus {n}" for n in range(corpus)],
    }
    _, ask = plant(decompose("A", additions=("C",)), **pool)
    others = ask.asked[0]["others"]
    assert len(others) == len(set(others)) == min(POOL, seeds + borrowed)
    assert sum(other.startswith("corpus") for other in others) == borrowed
    assert INPUTS[0] not in others, "a parent lends nothing to itself"
    assert plant(decompose("A", additions=("C",)), **pool)[1].asked[0]["others"] == others


def test_a_record_keeps_its_constraints_and_the_grades_of_every_axis() -> None:
    record, ask = grow_one(GOOD)
    assert isinstance(record, Record), record
    assert ask.steps == ["synthesize", "answer", "reflect"]
    assert ask.asked[0]["lines"] == [f"Query: {QUERY} Constraints: Seven trips a day; Sundays count double."]
    graded = ask.asked[-1]
    assert (graded["text"], graded["answer"], graded["constraints"]) == (FRESH, ANSWER, WAY["constraints"])
    assert record.lineage.way == WAY
    assert (
        record.lineage.origin == f"Sundays count double / {QUERY} / Seven trips a day; Sundays count double"
    )
    assert {axis: record.scores[axis] for axis in AXES} == dict.fromkeys(AXES, 9)
    assert record.scores["relevance"] == 9


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"consistent": False}, "contradiction"),
        ({"self_contained": False}, "not_self_contained"),
        ({"complete": False}, "constraint_lost"),
        ({"obeyed": False}, "constraint_broken"),
        ({"certainty": 6}, "low_certainty"),
        ({"truthfulness": 3}, "low_truthfulness"),
    ],
)
def test_a_constraint_that_is_not_kept_and_a_low_axis_reject_under_a_name_of_their_own(
    said: dict[str, Any], reason: str
) -> None:
    fault, _ = grow_one({**GOOD, **said, "fault": "Mend it."})
    assert isinstance(fault, Rejection)
    assert (fault.step, fault.reason, fault.detail) == ("reflect", reason, "Mend it.")
    assert fault.input == FRESH
    assert fault.scores["relevance"] == 9


def test_without_reflection_nobody_grades() -> None:
    record, ask = grow_one({}, reflection=False, agreement="1/1")
    assert isinstance(record, Record), record
    assert "reflect" not in ask.steps


@pytest.mark.parametrize(
    ("task", "settings", "told"),
    [
        ("support_tickets_de", {}, "classification"),
        ("library_chats", {}, "chat"),
        ("word_problems", {"attributes": 0}, "no constraints"),
    ],
)
def test_what_has_no_constraints_to_change_is_refused(task: str, settings: dict[str, Any], told: str) -> None:
    spec = RunSpec(base_url=("sim:",), model="m", recipe="tcia", **settings)
    with pytest.raises(InputError, match=told) as fault:
        read_inputs(spec, [str(SEEDS / f"{task}.jsonl")])
    assert fault.value.hint


def test_a_single_seed_needs_a_corpus(tmp_path: Path) -> None:
    seeds, corpus = tmp_path / "seeds.jsonl", tmp_path / "corpus.jsonl"
    seeds.write_text((SEEDS / "word_problems.jsonl").read_text(encoding="utf-8").splitlines()[0] + "\n")
    corpus.write_text(
        '{"instruction": "Sort the list."}\n{"instruction": "Sort the list."}\n{"question": "In red."}\n'
    )
    spec = RunSpec(base_url=("sim:",), model="m", recipe="tcia")
    with pytest.raises(InputError, match="one seed"):
        read_inputs(spec, [str(seeds)])
    inputs = read_inputs(spec.model_copy(update={"corpus": (corpus,)}), [str(seeds)])
    assert inputs.corpus == ("Sort the list.", "In red.")


def test_another_corpus_makes_another_run(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"instruction": "Sort the list, but leave out what is red."}\n')
    options = (
        "--recipe",
        "tcia",
        "--corpus",
        corpus,
        "--hops",
        "1",
        "--target",
        "3",
        "--no-exam",
        "--realism",
        "0",
    )
    seeds = SEEDS / "word_problems.jsonl"
    expand(seeds, tmp_path / "run", *options)
    corpus.write_text('{"instruction": "Sort the list, but leave out what is blue."}\n')
    told = aide("expand", seeds, "--base-url", "sim:", *options, "--yes", "-o", tmp_path / "run", code=2)
    assert "corpus" in told
    missing = aide(
        "expand", seeds, "--base-url", "sim:", *options[:2], "--corpus", tmp_path / "none.jsonl", code=2
    )
    assert "none.jsonl" in missing
