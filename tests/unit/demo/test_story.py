"""What is chosen of a run to be shown: the refused before the mended, guided records before plain ones."""

import asyncio
import json
from collections.abc import Iterable

from aide.demo.story import Mending, TreeIds, choose_mending, choose_tree
from aide.journal import Journal, Outcome


def record(node: str, parent: str, hop: int, operation: str, revisions: int = 0) -> Outcome:
    line = {"id": node, "input": f"text of {node}", "output": "4", "revisions": revisions}
    return Outcome(node, "accepted", "s", parent, hop, 0, operation, "", json.dumps(line).encode())


def reject(node: str, step: str, detail: str) -> Outcome:
    line = {"id": node, "input": f"text of {node}", "step": step, "detail": detail}
    return Outcome(node, "rejected", "s", "s", 1, 0, "reasoning", "", json.dumps(line).encode())


def keep(outcomes: Iterable[Outcome]) -> Journal:
    async def settle() -> Journal:
        journal = Journal.in_memory()
        journal.decide("seed", "s", {"name": "one", "input": "2 + 2?", "output": "4"})
        for each in outcomes:
            await journal.settle(each)
        return journal

    return asyncio.run(settle())


def test_guided_children_of_different_operations_and_a_guided_grandchild() -> None:
    with keep(
        [
            record("a", "s", 1, "plain"),
            record("b", "s", 1, "reasoning"),
            record("c", "s", 1, "reasoning"),
            record("d", "s", 1, "persona"),
            record("e", "s", 1, "concretize"),
            record("f", "a", 2, "persona"),
            record("g", "a", 2, "constraint"),
        ]
    ) as journal:
        assert choose_tree(journal) == TreeIds("s", ("b", "e", "a"), "g")


def test_without_a_grandchild_there_is_no_tree() -> None:
    with keep([record("a", "s", 1, "reasoning"), record("b", "s", 1, "persona")]) as journal:
        assert choose_tree(journal) is None


def test_what_the_judge_refused_goes_before_what_it_sent_back() -> None:
    with keep(
        [
            record("a", "s", 1, "reasoning", revisions=1),
            reject("b", "reflect", "Short."),
            reject("c", "reflect", "It has no single right answer."),
            reject("d", "synthesize", "A duplicate of a record with a very long name, told at length."),
        ]
    ) as journal:
        assert choose_mending(journal) == Mending("c", "text of c", "It has no single right answer.", "")


def test_a_run_in_which_all_went_well_has_nothing_to_mend() -> None:
    with keep([record("a", "s", 1, "reasoning")]) as journal:
        assert choose_mending(journal) is None
