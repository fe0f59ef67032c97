"""The endpoint of the ablation: real texts, chosen by what a prompt asks for."""

from typing import Any

from aide.records import Draft
from benchmarks.corpus import Corpus, CorpusSimulator, KnownText
from unit.simulator.prompting import answer, request, text_of

POOL = [
    KnownText("kitchen", Draft("How long must rice boil in a pot with a lid?", "18 minutes")),
    KnownText("kitchen", Draft("Which spice turns rice yellow and costs most?", "saffron")),
    KnownText("garden", Draft("When should a gardener prune an apple tree?", "in winter")),
    KnownText("garden", Draft("Which tool cuts the hedge of a gardener?", "shears")),
]


def say(simulator: CorpusSimulator, **tags: str) -> str:
    shown = "\n".join(f"<{name}>{value}</{name}>" for name, value in tags.items())
    return text_of(
        simulator.answer(request(f'{shown}\n<change kind="reasoning">Change it.</change>', system=" "))
    )


def test_what_a_prompt_asks_for_decides_what_comes_back() -> None:
    simulator = CorpusSimulator(Corpus(POOL))
    parent = "Tell me something about dinner."
    assert say(simulator, parent=parent, attribute="yellow spice") == POOL[1].draft.input
    assert say(simulator, parent="Trees bear apples.", persona="who must prune") == POOL[2].draft.input


def test_no_text_comes_twice_but_to_the_same_question() -> None:
    simulator = CorpusSimulator(Corpus(POOL))
    first = say(simulator, parent="rice in a pot", attribute="lid")
    assert say(simulator, parent="rice in a pot", attribute="lid") == first
    others = [say(simulator, parent="rice in a pot", attribute=word) for word in ("boil", "minutes", "long")]
    assert len({first, *others}) == 4


def test_the_seed_keeps_it_near() -> None:
    asked = {"parent": "When should a gardener prune a tree?", "attribute": "tool"}
    seed = "How long must pasta boil in a pot with a lid?"
    assert Corpus(POOL).choose(asked).task == "garden"
    assert Corpus(POOL).choose({**asked, "attribute": "lid", "seed": seed}).task == "kitchen"
    assert Corpus(POOL).fresh().find(POOL[0].draft.input.upper()) == POOL[0]


def test_a_text_of_the_pool_is_answered_by_what_is_known_and_others_by_the_simulator() -> None:
    simulator = CorpusSimulator(Corpus(POOL))

    def asked(question: str) -> Any:
        return text_of(simulator.answer(request(answer("free_text", question))))

    assert asked(POOL[0].draft.input) == "18 minutes"
    assert asked("How long must a stone boil?") not in {known.draft.output for known in POOL}
    joint = say(simulator, parent="rice in a pot", answer_as="Answer.")
    assert joint == f"<new>{POOL[0].draft.input}</new>\n<answer>18 minutes</answer>"
