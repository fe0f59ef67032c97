"""The endpoint of the ablation: real texts, chosen by what a prompt asks for."""

import json
from typing import Any

from aide.records import Draft
from benchmarks.corpus import Corpus, CorpusSimulator, KnownText
from unit.simulator.prompting import ANSWERED_ITEMS, answer, request, shape, synthesize, text_of

POOL = [
    KnownText("kitchen", Draft("How long must rice boil in a pot with a lid?", "18 minutes")),
    KnownText("kitchen", Draft("Which spice turns rice yellow and costs most?", "saffron")),
    KnownText("garden", Draft("When should a gardener prune an apple tree?", "in winter")),
    KnownText("garden", Draft("Which tool cuts the hedge of a gardener?", "shears")),
]


def say(simulator: CorpusSimulator, *lines: str, **asked: Any) -> str:
    schema = asked.pop("schema", None)
    return text_of(simulator.answer(request(synthesize(*lines, shown="", **asked), schema=schema)))


def test_what_a_prompt_asks_for_decides_what_comes_back() -> None:
    simulator = CorpusSimulator(Corpus(POOL))
    assert say(simulator, "yellow spice", parent="Tell me something about dinner.") == POOL[1].draft.input
    assert say(simulator, "who must prune", parent="Trees bear apples.") == POOL[2].draft.input


def test_no_text_comes_twice_but_to_the_same_question() -> None:
    simulator = CorpusSimulator(Corpus(POOL))
    first = say(simulator, "lid", parent="rice in a pot")
    assert say(simulator, "lid", parent="rice in a pot") == first
    others = [say(simulator, word, parent="rice in a pot") for word in ("boil", "minutes", "long")]
    assert len({first, *others}) == 4


def test_each_line_has_its_own_text() -> None:
    asked = {"parent": "Tell me something.", "schema": shape(texts={"type": "array"})}
    said = json.loads(say(CorpusSimulator(Corpus(POOL)), "yellow spice", "prune an apple tree", **asked))
    assert said == {"texts": [POOL[1].draft.input, POOL[2].draft.input]}


def test_a_part_that_is_not_read_tells_questions_apart_and_no_more() -> None:
    simulator = CorpusSimulator(Corpus(POOL), unread=("line",))
    first = say(simulator, "shears for the hedge", parent="rice in a pot")
    assert first == POOL[0].draft.input
    assert say(simulator, "saffron", parent="rice in a pot") != first


def test_the_seed_keeps_it_near() -> None:
    asked = {"parent": "When should a gardener prune a tree?", "line": "tool"}
    seed = "How long must pasta boil in a pot with a lid?"
    assert Corpus(POOL).choose(asked).task == "garden"
    assert Corpus(POOL).choose({**asked, "line": "lid", "seed": seed}).task == "kitchen"
    assert Corpus(POOL).fresh().find(POOL[0].draft.input.upper()) == POOL[0]


def test_a_text_of_the_pool_is_answered_by_what_is_known_and_others_by_the_simulator() -> None:
    simulator = CorpusSimulator(Corpus(POOL))

    def asked(question: str) -> Any:
        return text_of(simulator.answer(request(answer("free_text", question))))

    assert asked(POOL[0].draft.input) == "18 minutes"
    assert asked("How long must a stone boil?") not in {known.draft.output for known in POOL}
    joint = say(simulator, "boil", parent="rice in a pot", reply=ANSWERED_ITEMS)
    assert joint == f'<item n="1">{POOL[0].draft.input}\n<answer>18 minutes</answer></item>'
