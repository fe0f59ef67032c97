import json
from pathlib import Path
from typing import Any

import pytest

from aide.errors import InputError
from aide.records import Draft, replace
from aide.simulator import from_url
from aide.simulator.corpus import Corpus, Known

POOL = [
    Known("kitchen", Draft("How long must rice boil in a pot with a lid?", "18 minutes")),
    Known("kitchen", Draft("Which spice turns rice yellow and costs most?", "saffron")),
    Known("garden", Draft("When should a gardener prune an apple tree?", "in winter")),
    Known("garden", Draft("Which tool cuts the hedge of a gardener?", "shears", ("shears", "a rake"))),
]


def user(**tags: str) -> dict[str, Any]:
    text = "\n".join(f"<{name}>{value}</{name}>" for name, value in tags.items())
    return {
        "messages": [{"role": "user", "content": f'{text}\n<change kind="reasoning">Change it.</change>'}]
    }


def served(tmp_path: Path, *pool: Known) -> Any:
    path = tmp_path / "pool.jsonl"
    rows = [
        {
            "input": k.draft.input,
            "output": k.draft.output,
            **({"choices": list(k.draft.choices)} if k.draft.choices else {}),
        }
        for k in pool
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return from_url(f"sim:?corpus={path}")


def said(simulator: Any, body: dict[str, Any]) -> str:
    return str(simulator.answer(body)["choices"][0]["message"]["content"])


def test_what_a_prompt_asks_for_decides_what_comes_back(tmp_path: Path) -> None:
    simulator = served(tmp_path, *POOL)
    parent = "Tell me something about dinner."
    assert said(simulator, user(parent=parent, attribute="yellow spice")) == POOL[1].draft.input
    assert (
        said(simulator, user(parent="Trees bear apples.", persona="someone who must prune"))
        == POOL[2].draft.input
    )


def test_no_text_comes_twice_but_to_the_same_question(tmp_path: Path) -> None:
    simulator = served(tmp_path, *POOL)
    body = user(parent="rice in a pot", attribute="lid")
    first = said(simulator, body)
    assert said(simulator, body) == first
    others = [
        said(simulator, user(parent="rice in a pot", attribute=word)) for word in ("boil", "minutes", "long")
    ]
    assert len({first, *others}) == 4


def test_the_seed_keeps_it_near() -> None:
    parent, seed = "When should a gardener prune a tree?", "How long must pasta boil in a pot with a lid?"
    tags = {"parent": parent, "attribute": "tool"}
    plain, anchored = Corpus(POOL), Corpus(POOL)
    assert plain.pool[plain._nearest(tags)].task == "garden"
    assert anchored.pool[anchored._nearest({**tags, "attribute": "lid", "seed": seed})].task == "kitchen"
    assert Corpus(POOL).fresh().find(POOL[0].draft.input.upper()) == POOL[0]


def test_a_text_of_the_pool_is_answered_and_judged_by_what_is_known(tmp_path: Path) -> None:
    simulator = served(tmp_path, *POOL)
    question = f"<question>{POOL[0].draft.input}</question>\n"
    asked = {
        "messages": [{"role": "user", "content": f'{question}<answer_as kind="open">Answer.</answer_as>'}]
    }
    assert said(simulator, asked) == "18 minutes"
    for answer, right in (("18 minutes", True), ("9 minutes", False)):
        text = (
            f"<seed>{POOL[1].draft.input}</seed><candidate>{POOL[0].draft.input}</candidate>"
            f"<candidate_answer>{answer}</candidate_answer>"
        )
        verdict = json.loads(said(simulator, {"messages": [{"role": "user", "content": text}]}))
        assert verdict["correct"] is right
        assert verdict["own_answer"] == "18 minutes"
        simulator.settings = replace(simulator.settings, accept_all=True)
        verdict = json.loads(said(simulator, {"messages": [{"role": "user", "content": text}]}))
        assert verdict["correct"] is True
        simulator.settings = replace(simulator.settings, accept_all=False)


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        served(tmp_path)
