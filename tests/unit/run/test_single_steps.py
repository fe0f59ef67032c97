"""Single steps on records that are there already: the answer, the verdict, and many at once in their order."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from aide.errors import BudgetSpent, NodeError, Rejection
from aide.formats import Demonstration
from aide.formats.choices import NONE
from aide.recipes.base import RecipeContext
from aide.records import Comparison, Draft, Hop, Parts, Reading, Seed, Verdict
from aide.run.single_steps import StepRunner, map_in_order
from aide.run.student import StudentTrial
from unit.recipes.scene import ANSWER, FRESH, INPUTS, Asked, Judged, make_context, make_seed


class Keeping(Judged):
    """A judge that keeps the hops it is shown."""

    def __init__(self, readings: Any = (), comparisons: Any = ()) -> None:
        super().__init__(readings, comparisons)
        self.hops: list[Hop] = []

    async def read(self, hop: Hop, draft: Draft) -> Reading:
        self.hops.append(hop)
        return await super().read(hop, draft)


class Bench:
    """A step runner whose model says what is written down here."""

    def __init__(
        self, *said: str, seeds: tuple[Seed, ...] = (), context: RecipeContext | None = None
    ) -> None:
        self.seeds = seeds or tuple(map(make_seed, range(3)))
        self.asked, self.nodes = Asked(*said), list[str]()
        fixed: Any = SimpleNamespace(
            inputs=SimpleNamespace(seeds=self.seeds), recipe_context=context or make_context(), ask_for=self._ask_for,
            session=SimpleNamespace(calls=SimpleNamespace(made=7)),
        )  # fmt: skip
        self.runner = StepRunner(fixed)

    def _ask_for(self, node: str) -> Asked:
        self.nodes.append(node)
        return self.asked

    def answer(self, record: dict[str, Any]) -> tuple[Draft, Any]:
        return asyncio.run(self.runner.answer(record))

    def grade(self, record: dict[str, Any], output: str = ANSWER) -> Verdict:
        return asyncio.run(self.runner.grade(record, Draft("", output)))


OPTIONS = ["a plane", "a ferry", "a train"]


# --- the answer -----------------------------------------------------------------------------------------------


def test_an_answer_is_voted_on_at_once_for_no_judge_follows() -> None:
    bench = Bench(ANSWER, "So 18 * 7 = 126.\n#### 126")
    draft, scores = bench.answer({"input": FRESH})
    assert (draft.input, draft.output, scores) == (FRESH, ANSWER, {"agreement": "2/2"})
    assert bench.asked.steps == ["answer", "check"]
    assert bench.runner.calls_made == 7


def test_answers_that_do_not_agree_are_none() -> None:
    with pytest.raises(Rejection, match="agreed") as refused:
        Bench(ANSWER, "#### 1", "#### 2").answer({"input": FRESH})
    assert refused.value.reason == "no_agreement"


def test_a_record_of_the_examples_is_not_shown_its_own_answer() -> None:
    demos = (Demonstration(INPUTS[0], "40"), Demonstration(INPUTS[1], "41"))
    context = replace(make_context(agreement="off"), demonstrations=lambda seed: demos)
    for text, shown in ((INPUTS[0], demos[1:]), (FRESH, demos)):
        bench = Bench("#### 40", context=context)
        bench.answer({"input": text})
        assert bench.asked.asked[0]["demos"] == shown


def test_calls_are_booked_on_the_content_and_not_on_the_place_in_a_file() -> None:
    bench = Bench(*["#### 126"] * 6)
    for record in ({"input": FRESH}, {"id": "7", "input": FRESH, "output": "x"}, {"input": INPUTS[0]}):
        bench.answer(record)
    assert bench.nodes[0] == bench.nodes[1] != bench.nodes[2]


@pytest.mark.parametrize("name", ["input", "question", "prompt"])
def test_the_input_is_found_under_the_names_that_seeds_may_have(name: str) -> None:
    draft, _ = Bench(ANSWER, ANSWER).answer({name: FRESH})
    assert draft.input == FRESH


@pytest.mark.parametrize("record", [{}, {"input": " "}, {"output": "126"}])
def test_a_record_without_an_input_is_a_reject_and_costs_nothing(record: dict[str, Any]) -> None:
    bench = Bench()
    with pytest.raises(Rejection) as refused:
        bench.answer(record)
    assert (refused.value.step, refused.value.reason, bench.asked.asked) == ("answer", "no_input", [])


def test_of_given_options_one_is_chosen() -> None:
    said = '{"label": "a ferry"}'
    bench = Bench(said, context=make_context("multiple_choice"))
    draft, scores = bench.answer({"input": "What crosses a strait?", "choices": OPTIONS})
    assert (draft.output, draft.choices, scores) == ("a ferry", tuple(OPTIONS), {})
    assert bench.asked.steps == ["answer"]
    voted = Bench(said, said, context=make_context("multiple_choice", agreement="2/3"))
    draft, scores = voted.answer({"input": "What crosses a strait?", "choices": OPTIONS})
    assert (draft.output, scores) == ("a ferry", {"agreement": "2/2"})
    assert voted.asked.steps == ["answer", "check"]


def test_where_none_of_the_options_is_right_there_is_no_answer() -> None:
    bench = Bench(f'{{"label": "{NONE}"}}', context=make_context("multiple_choice"))
    with pytest.raises(Rejection) as refused:
        bench.answer({"input": "What crosses a desert?", "choices": OPTIONS})
    assert refused.value.reason == "no_agreement"


CONTRACT = Parts((("contract", "The tenant pays by the third day."),), "question", "{contract}\n{question}")


@pytest.mark.parametrize("inside", [True, False])
def test_fixed_parts_are_taken_by_their_names(inside: bool) -> None:
    own = {"contract": "The tenant pays on Fridays.", "question": "When is the rent due?"}
    said = "On Fridays.\n<evidence>pays on Fridays</evidence>"
    bench = Bench(said, seeds=(make_seed(parts=CONTRACT),), context=make_context("free_text", parts=True))
    draft, _ = bench.answer({"parts": own} if inside else own)
    assert (draft.input, draft.evidence) == ("When is the rent due?", "pays on Fridays")
    assert bench.asked.asked[0]["parts"].fixed == (("contract", "The tenant pays on Fridays."),)


# --- a student ------------------------------------------------------------------------------------------------


def try_student(
    bench: Bench, record: dict[str, Any], output: str, draws: int, choices: Any = ()
) -> StudentTrial:
    draft = Draft("", output, tuple(choices))
    return asyncio.run(bench.runner.try_student(record, draft, draws))


def test_the_difficulty_is_the_share_of_a_student_s_answers_that_differ() -> None:
    bench = Bench("18 * 7 = 126\n#### 126", "#### 126.0", "18 + 7 = 25\n#### 25", "#### 126")
    trial = try_student(bench, {"input": FRESH}, ANSWER, 4)
    assert (trial.answers, trial.right, trial.difficulty) == (("126", "126.0", "25", "126"), 3, 0.25)
    assert {each["step"] for each in bench.asked.asked} == {"check"}, "cold answers would all be alike"
    assert [each["draw"] for each in bench.asked.asked] == [1, 2, 3, 4]


def test_what_is_no_answer_is_wrong() -> None:
    trial = try_student(Bench("I would rather not.", "Still not.", "#### 126"), {"input": FRESH}, ANSWER, 2)
    assert (trial.answers, trial.difficulty) == (("", "126"), 0.5)


def test_a_student_chooses_among_the_options_of_the_record_and_may_find_none_right() -> None:
    said = ["a ferry", NONE, "a train", "a ferry"]
    bench = Bench(*(f'{{"label": "{each}"}}' for each in said), context=make_context("multiple_choice"))
    trial = try_student(bench, {"input": "What crosses a strait?"}, "a ferry", 4, OPTIONS)
    assert (trial.answers, trial.difficulty) == (tuple(said), 0.5)


def test_a_student_names_a_label_of_the_task_and_is_not_told_the_record_s() -> None:
    labels = ("late", "lost")
    bench = Bench(*['{"label": "Lost"}'] * 2, context=make_context("classification", labels=labels))
    trial = try_student(bench, {"input": "The parcel is nowhere to be found."}, "late", 2)
    assert (trial.answers, trial.difficulty) == (("lost", "lost"), 1.0)
    assert len(bench.asked.asked) == 2, "no further blind answers, which a label that was meant would ask for"


@pytest.mark.parametrize(("record", "output"), [({"output": "1"}, "1"), ({"input": FRESH}, " ")])
def test_a_record_without_input_or_output_costs_nothing(record: dict[str, Any], output: str) -> None:
    bench = Bench()
    with pytest.raises(Rejection):
        try_student(bench, record, output, 4)
    assert bench.asked.asked == []


# --- the verdict ----------------------------------------------------------------------------------------------


def test_a_record_is_graded_beside_the_seed_that_it_names_else_beside_the_nearest() -> None:
    judge = Keeping()
    bench = Bench(context=make_context(judge=judge))
    near = "Four friends share a tent that costs ninety euros for two nights; what does each of them pay?"
    bench.grade({"input": near, "lineage": {"seed_id": "seed2"}})
    bench.grade({"input": near, "lineage": {"seed_id": "of another run"}})
    bench.grade({"input": near})
    bench.grade({"input": INPUTS[1]})
    assert [hop.seed.id for hop in judge.hops][:3] == ["seed2", "seed1", "seed1"]
    assert judge.hops[3].seed.id != "seed1", "a seed is not held against itself"
    assert all(hop.parent.draft == hop.seed.draft for hop in judge.hops)


def test_an_answer_is_right_where_the_blind_reading_comes_to_the_same() -> None:
    judge = Judged([Reading("126", relevance=9), Reading("108", relevance=9)])
    bench = Bench(context=make_context(judge=judge))
    verdicts = [bench.grade({"input": FRESH}) for _ in range(2)]
    assert [verdict.comparison and verdict.comparison.correct for verdict in verdicts] == [True, False]
    assert judge.read_texts == [FRESH, FRESH]


def test_of_an_answer_that_code_can_not_compare_the_judge_says_whether_it_is_right() -> None:
    judge = Judged([], [Comparison(correct=False, diversity=8)])
    bench = Bench(context=make_context("free_text", judge=judge))
    verdict = bench.grade({"input": FRESH}, "Somebody does.")
    assert verdict.comparison is not None
    assert verdict.comparison.correct is False


def test_a_judge_that_says_nothing_usable_is_a_fault_of_this_record() -> None:
    class Silent(Judged):
        async def read(self, hop: Hop, draft: Draft) -> Reading:
            raise NodeError("invalid", "no JSON")

    with pytest.raises(NodeError):
        Bench(context=make_context(judge=Silent())).grade({"input": FRESH})


# --- many at once ---------------------------------------------------------------------------------------------


def test_results_come_in_the_order_of_the_items_which_are_read_as_they_are_needed() -> None:
    read: list[int] = []
    under_way = most = 0

    def items() -> Iterator[int]:
        for item in range(12):
            read.append(item)
            yield item

    async def work(item: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(12 - item):  # the first are the slowest
            await asyncio.sleep(0)
        under_way -= 1
        return item

    async def run() -> list[int]:
        found: list[int] = []
        async for each in map_in_order(items(), work, at_once=3):
            assert len(read) <= len(found) + 3
            found.append(each)
        return found

    assert asyncio.run(run()) == list(range(12))
    assert most == 3


def test_the_first_fault_is_raised_and_what_was_under_way_is_stopped() -> None:
    cancelled: list[int] = []

    async def work(item: int) -> int:
        if item == 1:
            raise BudgetSpent("no more calls")
        try:
            await asyncio.sleep(3600 * (item > 1))
        except asyncio.CancelledError:
            cancelled.append(item)
            raise
        return item

    async def run() -> None:
        results = map_in_order(range(9), work, at_once=4)
        assert await anext(results) == 0
        with pytest.raises(BudgetSpent):
            await anext(results)

    asyncio.run(run())
    assert cancelled == [2, 3]
