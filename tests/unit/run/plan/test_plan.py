"""The estimate: what it counts, and that nothing of it is written down twice."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aide.config import resources
from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.recipes import find_recipe
from aide.run.inputs import count_inputs_card, read_inputs
from aide.run.plan import find_longest_call, make_plan
from aide.run.plan.part import ENOUGH

TASKS = ("word_problems", "support_tickets_de", "science_quiz", "python_functions", "contract_questions")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("target", [1, 30, 200])
def test_as_many_records_are_expected_as_are_asked_for(
    prepare: Callable[..., Any], task: str, target: int
) -> None:
    plan = make_plan(*prepare(task, target=target))
    assert plan.expected.records == target
    assert plan.at_most.records == target
    assert plan.expected.candidates >= target


@pytest.mark.parametrize("task", TASKS)
def test_what_is_expected_stays_below_the_bound(prepare: Callable[..., Any], task: str) -> None:
    plan = make_plan(*prepare(task, target=200))
    most = plan.at_most.steps
    for step, spent in plan.expected.steps.items():
        assert spent.calls <= most[step].calls, step
        assert spent.prompt <= most[step].prompt, step
        assert spent.completion <= most[step].completion, step


@pytest.mark.parametrize("task", TASKS)
def test_a_lower_yield_takes_more(prepare: Callable[..., Any], task: str) -> None:
    tokens = [
        make_plan(*prepare(task, target=200, expect_yield=share)).expected.tokens for share in (1, 0.8, 0.5)
    ]
    assert tokens == sorted(tokens)
    assert tokens[2] > 1.3 * tokens[0]


def test_of_a_whole_tree_the_yield_decides_how_many_come(prepare: Callable[..., Any]) -> None:
    whole = make_plan(*prepare("word_problems", target="all", hops=1, plain_share=0, expect_yield=0.5))
    assert whole.at_most.records == whole.at_most.candidates == 200
    assert whole.expected.candidates == 200
    assert whole.expected.records == 100


def test_a_part_stands_for_the_whole(prepare: Callable[..., Any]) -> None:
    """A large composition is walked in part; its figures are in proportion to those of one that is walked whole."""
    settings = {"plain_share": 0.6, "expect_yield": 0.8}
    small = make_plan(*prepare("science_quiz", target=ENOUGH, **settings)).expected
    large = make_plan(*prepare("science_quiz", target=8 * ENOUGH, **settings)).expected
    assert large.records == pytest.approx(8 * small.records, rel=0.01)
    assert large.calls == pytest.approx(8 * small.calls, rel=0.02)
    assert large.tokens == pytest.approx(8 * small.tokens, rel=0.02)


def test_records_that_share_calls_take_fewer(prepare: Callable[..., Any]) -> None:
    together, alone = (
        make_plan(*prepare("support_tickets_de", target=200, together=n)).expected for n in ("auto", "1")
    )
    assert together.calls < alone.calls / 2
    assert together.candidates == pytest.approx(alone.candidates, abs=2)


def test_the_judge_is_planned_for_what_it_will_refuse_where_nothing_is_revised(
    prepare: Callable[..., Any],
) -> None:
    settings = {"target": 200, "plain_share": 1, "hops": 1, "max_revisions": 0, "together": 1}
    plan = make_plan(*prepare("support_tickets_de", expect_yield=0.5, **settings)).expected
    # A fifth of what fails is refused before the judge sees it; of labels each text takes one reading.
    assert plan.steps["reflect"].calls > 0.85 * plan.candidates


def test_steps_that_are_off_are_not_planned(prepare: Callable[..., Any]) -> None:
    plan = make_plan(*prepare("word_problems", target=60, reflection=False, plain_share=1)).expected
    assert not {"extract", "reflect", "revise"} & set(plan.steps)


def test_a_prompt_that_grows_is_in_the_plan(prepare: Callable[..., Any], tmp_path: Any) -> None:
    """Prompts are rendered as they would be sent: what a person adds to one is counted."""
    (tmp_path / "synthesize").mkdir()
    kept = resources.read_file("prompts", "synthesize/plain.md", None)
    longer = kept.replace("{% block own %}", "{% block own %}" + "\nword" * 1000, 1)
    (tmp_path / "synthesize" / "plain.md").write_text(longer)
    before = make_plan(*prepare("word_problems", target=60)).expected.steps["synthesize"]
    after = make_plan(*prepare("word_problems", target=60, prompts=tmp_path)).expected.steps["synthesize"]
    assert after.calls == before.calls
    assert after.prompt > before.prompt + 1000


def test_the_longest_call_is_longer_than_any_that_is_expected(prepare: Callable[..., Any]) -> None:
    task = prepare("word_problems", target=200)
    mean = max(
        (spent.prompt + spent.completion) / spent.calls for spent in make_plan(*task).expected.steps.values()
    )
    assert find_longest_call(*task) > mean


def test_the_longest_input_may_have_a_short_answer(tmp_path: Path) -> None:
    """Among many seeds it is then not one of those with which prompts are longest."""
    rows = [(f"How long does way {n} take?", f"It takes {'very ' * 40}long.") for n in range(12)]
    rows.append(("How long does it take a man who has to carry it all up the hill?", "An hour."))
    path = tmp_path / "seeds.jsonl"
    path.write_text("".join(json.dumps({"input": text, "output": said}) + "\n" for text, said in rows))
    spec = RunSpec(base_url=("sim:",), model="simulator", format="free_text", target=20)
    inputs = read_inputs(spec, [str(path)])
    assert make_plan(spec, inputs, count_inputs_card(spec, inputs)).at_most.records == 20


@pytest.mark.parametrize(
    ("settings", "most"), [({"hops": 1}, 800), ({"hops": 2}, 16_800), ({"hops": 1, "attributes": 6}, 1160)]
)
def test_a_target_beyond_the_tree_is_refused(prepare: Callable[..., Any], settings: Any, most: int) -> None:
    make_plan(*prepare("word_problems", plain_share=0, target=most, **settings))
    with pytest.raises(InputError, match=f"at most {most:,} can grow from 10 seeds"):
        make_plan(*prepare("word_problems", plain_share=0, target=most + 1, **settings))
    make_plan(*prepare("word_problems", plain_share=0.1, target=most + 1, **settings))


def test_a_target_is_held_against_the_passages_and_not_the_seeds(
    prepare: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "passages.jsonl"
    rows = (
        f"Rule {n} of the house says that door number {n} is locked at night by the keeper."
        for n in range(90)
    )
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    settings = {**find_recipe("retrieval").defaults, "recipe": "retrieval", "contexts": (path,)}
    asked = prepare("plain_explanations", **{**settings, "target": 250})
    assert make_plan(*asked).expected.records == 250, "ten seeds by themselves would have room for 120"
    with pytest.raises(InputError, match=r"from 10 seeds and 90 chunks of documents") as fault:
        make_plan(*prepare("plain_explanations", **{**settings, "target": 2500}))
    assert fault.value.hint == "add documents, or raise --queries (now 3)"
