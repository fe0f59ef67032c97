import json
import re
from typing import Any

import pytest

from aide.simulator import Simulator, SimulatorSettings
from unit.simulator.prompting import (
    DEMOS,
    PARENT,
    answer,
    examples,
    json_of,
    reflect,
    request,
    synthesize,
    text_of,
)  # fmt: skip

CALM = Simulator(SimulatorSettings(near=0, wrong=0))


def say(user: Any, *after: Any, simulator: Any = CALM, **extra: Any) -> Any:
    return text_of(simulator.answer(request(user, *after, **extra)))


def read(user: Any, *after: Any, simulator: Any = CALM, **extra: Any) -> Any:
    return json_of(simulator.answer(request(user, *after, **extra)))


TEXTS = [
    PARENT,
    "Kurz.",
    "为什么银行卡在国外不能取款?请帮我查一下手续费。",
    "لماذا لم يصل الطرد إلى المكتب الجديد؟",
    "12",
    "a a a",
]


@pytest.mark.parametrize("text", TEXTS)
def test_extraction_gives_what_is_asked_distinct_after_folding(text: Any) -> None:
    said = read(f"<text>\n{text}\n</text>\nName the topic and exactly 3 attributes.")
    attributes = [triple["attribute"] for triple in said["triples"]]
    lines = "\n".join(f"{t['relation']} | {t['attribute']}" for t in said["triples"])
    shown = f"<text>\n{text}\n</text>\n<topic>{said['topic']}</topic>\n<triples>\n{lines}\n</triples>\n"
    more = read(f"{shown}Give exactly 2 more.")
    attributes += [triple["attribute"] for triple in more["triples"]]
    assert len(attributes) == 5
    assert len({a.strip().casefold() for a in attributes} | {said["topic"].casefold()}) == 6
    assert all(triple["relation"] for triple in said["triples"] + more["triples"])


def test_personas_are_as_many_as_asked_and_differ_by_topic() -> None:
    def personas(topic: Any, count: Any = 5) -> Any:
        return read(f"<about>{topic}</about>\nDescribe exactly {count} people.")["personas"]

    assert len(set(personas("loans"))) == 5
    assert len(set(personas("loans", 40))) == 40
    assert personas("loans") != personas("ferries")
    assert all("loans" in persona for persona in personas("loans"))


@pytest.mark.parametrize(
    ("texts", "language", "code"),
    [
        (["Why is the sky blue?", "What does the clerk want from you?"], "English", "en"),
        (["Warum kommt meine Karte nicht an?", "Ich habe noch keine Antwort."], "German", "de"),
        (["Pourquoi le train est en retard ?", "Je ne trouve pas la clé."], "French", "fr"),
        (["为什么天空是蓝色的?", "请问什么时候开门?"], "Chinese", "zh"),
        (["Почему небо голубое?"], "Russian", "ru"),
    ],
)
def test_card_names_the_language(texts: Any, language: Any, code: Any) -> None:
    card = read(examples(tuple((text, "x") for text in texts)) + "Kind of answer: open")
    assert (card["language"], card["language_code"]) == (language, code)
    fields = {"task", "source", "register", "hard", "answer_form", "language", "language_code", "locale"}
    assert set(card) == fields


def test_every_aim_changes_the_text() -> None:
    base = {"relation": "depends on", "attribute": "postage"}
    seen = {
        say(synthesize("constraint", **base)),
        say(synthesize("reasoning", **base)),
        say(synthesize("concretize", **base)),
        say(synthesize("a_new_operation", **base)),
        say(synthesize("constraint", **{**base, "attribute": "customs"})),
        say(synthesize("constraint", **{**base, "relation": "leads to"})),
        say(synthesize("constraint", **base, topic="lamps")),
        say(synthesize("constraint", **base, seed="The bill for 3 chairs came twice. Whom do I tell?")),
        say(synthesize("constraint", **base, label="billing")),
        say(synthesize("persona", persona="a baker who jokes about lamps")),
        say(synthesize("persona", persona="a farmer who is new to lamps")),
        say(synthesize("constraint", **base), seed=7),
    }
    assert len(seen) == 12
    assert "postage" in say(synthesize("constraint", **base)).casefold()


def test_the_anchor_brings_the_seed_back() -> None:
    seed = "The bill for 3 chairs came twice. Whom do I tell?"
    plain = say(synthesize(relation="needs", attribute="stamps"))
    anchored = say(synthesize(relation="needs", attribute="stamps", seed=seed))
    assert "whom do i " in anchored.casefold()
    assert "whom do i " not in plain.casefold()


def test_texts_keep_their_bounds_and_never_speak_of_the_prompt() -> None:
    for turn in range(60):
        kind = ("constraint", "reasoning", "concretize", "persona")[turn % 4]
        text = say(
            synthesize(
                kind, relation="needs", attribute=f"item{turn}", persona="" if turn % 4 < 3 else "a nurse"
            )
        )
        assert 8 <= len(text.split()) <= 50
        assert not re.search(
            r"\b(attribute|operation|persona|parent|seed|example|constraint)s?\b|[<>]", text.casefold()
        )
        assert text not in (PARENT, *(given for given, _ in DEMOS))


def test_short_bounds_are_kept_too() -> None:
    prompt = synthesize(relation="needs", attribute="stamps").replace("8 to 50", "3 to 12")
    assert 3 <= len(say(prompt).split()) <= 12


def test_a_tree_of_siblings_has_no_two_equal_texts() -> None:
    texts = [
        say(synthesize(kind, relation="needs", attribute=f"{word}", topic=topic))
        for kind in ("constraint", "reasoning", "concretize")
        for word in ("stamps", "glue", "string", "paper", "tape")
        for topic in ("order", "lamps", "office", "friday")
    ]
    assert len(set(texts)) == len(texts)


LABELS = ("delivery", "billing", "technical", "account_closed", "praise")


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("kind", ["constraint", "persona"])
def test_the_blind_answer_finds_the_intended_label(label: Any, kind: Any) -> None:
    text = say(synthesize(kind, relation="needs", attribute="stamps", label=label, not_label="praise"))
    for order in (LABELS, LABELS[::-1]):
        assert read(answer("classification", text, order)) == {"label": label}
    assert label.replace("_", " ") not in text.casefold()


def test_mislabelled_share_is_near_what_was_set_and_draws_are_independent() -> None:
    bad = Simulator(SimulatorSettings(mislabel=0.2))
    wrong = twice = 0
    for turn in range(300):
        text = say(synthesize(relation="needs", attribute=f"item{turn}", label="billing"))
        missed = [
            read(answer("classification", text, LABELS), simulator=bad, seed=s)["label"] != "billing"
            for s in (1, 2)
        ]
        wrong += sum(missed)
        twice += all(missed)
    assert 0.13 < wrong / 600 < 0.27
    assert twice < 30


def test_choices_are_as_many_as_asked_and_distinct() -> None:
    for count in (2, 4, 5, 10):
        said = read(answer("multiple_choice", PARENT, options=str(count)))
        folded = {option.casefold() for option in (said["correct"], *said["wrong"])}
        assert len(folded) == count


def test_worked_solutions_are_right_and_end_like_the_demonstrations() -> None:
    demos = (("2 and 2?", "2 + 2 = 4\n#### 4"), ("3 and 1?", "3 + 1 = 4\n#### 4"))
    prompt = answer("open", "Ann has 12 pears and 30 figs. How many in 4 such baskets?").replace(
        examples(), examples(demos)
    )
    said = say(prompt)
    for left, sign, right, result in re.findall(r"(\d+) ([+*]) (\d+) = (\d+)", said):
        assert int(result) == (int(left) + int(right) if sign == "+" else int(left) * int(right))
    assert re.search(r"\n#### \d+\Z", said)


def test_the_judge_finds_a_wrong_solution_and_the_correction_heals_it() -> None:
    slips = Simulator(SimulatorSettings(wrong=1.0, accept_all=False))
    prompt = answer("open", "Ann has 12 pears and 30 figs. How many?")
    first = say(prompt, simulator=slips)
    again = say(prompt, ("assistant", first), ("user", "That is wrong."), simulator=slips)
    question = "Ann has 12 pears and 30 figs. How many?"
    assert read(reflect(question, first), simulator=slips)["correct"] is False
    assert again != first
    assert read(reflect(question, again), simulator=slips)["correct"] is True


def test_code_passes_the_tests_written_without_sight_of_it() -> None:
    question = "Write add_up(first: int, second=0, *rest) that returns a number."
    code = re.fullmatch(r"```python\n(.*)\n```", say(answer("code", question)), re.DOTALL)
    tests = re.fullmatch(r"```python\n(.*)\n```", say(answer("tests", question)), re.DOTALL)
    assert code
    assert tests
    space: dict[str, object] = {}
    exec(f"{code[1]}\n{tests[1]}", space)
    assert "add_up" in space


def test_evidence_stands_word_for_word_in_the_part() -> None:
    part = "The tenant pays by the third day.\nA late fee of 5 per cent is due after ten days."
    system = f'<part name="contract">\n{part}\n</part>\n\nYou answer.'
    said = read(answer("yes_no", "Is a late fee due?", ("Yes", "No")), system=system)
    assert said["evidence"] in part
    assert said["label"] in ("Yes", "No")
    free = say(answer("free_text", "Is a late fee due?"), system=system)
    found = re.search(r"<evidence>(.*)</evidence>\Z", free, re.DOTALL)
    assert found
    assert found[1] in part


def test_siblings_come_by_number() -> None:
    wanted = "".join(
        f'<wanted n="{n}">\n<relation>needs</relation>\n<attribute>{word}</attribute>\n'
        '<change kind="constraint">\nx\n</change>\n</wanted>\n'
        for n, word in enumerate(("stamps", "glue", "tape"), start=1)
    )
    said = say(f"{examples()}<parent>\n{PARENT}\n</parent>\n<topic>order</topic>\n{wanted}8 to 50 words")
    items = re.findall(r'<item n="(\d)">(.*?)</item>', said, re.DOTALL)
    assert [number for number, _ in items] == ["1", "2", "3"]
    assert len({text for _, text in items}) == 3


def test_grades_spread_and_most_revisions_mend() -> None:
    passed = mended = low = 0
    for turn in range(200):
        prompt = synthesize(relation="needs", attribute=f"item{turn}")
        text = say(prompt)
        if _passes(read(reflect(text, "An answer."))):
            passed += 1
            continue
        low += 1
        revised = say(f"{prompt}\n<draft>\n{text}\n</draft>\n<critique>\nToo near.\n</critique>")
        assert revised != text
        mended += _passes(read(reflect(revised, "An answer.")))
    assert 0.6 < passed / 200 < 0.88
    assert 0.35 < mended / low < 0.85


def _passes(verdict: Any) -> Any:
    return (
        verdict["on_task"] and verdict["answerable"] and not verdict["gives_away"]
        and verdict["relevance"] >= 7 and verdict["diversity"] >= 5
    )  # fmt: skip


def test_verdict_has_its_keys_in_order() -> None:
    assert list(read(reflect("A text.", "An answer."))) == [
        "own_answer", "critique", "on_task", "answerable", "gives_away", "correct", "relevance", "diversity",
    ]  # fmt: skip


def test_repeating_simulator_repeats() -> None:
    again = Simulator(SimulatorSettings(repeat=0.5, near=0))
    texts = [
        say(synthesize(kind, relation="needs", attribute=f"item{turn}"), simulator=again)
        for turn in range(60)
        for kind in ("constraint", "reasoning", "concretize")
    ]
    assert len(set(texts)) < 0.85 * len(texts)


def test_text_in_another_script_stays_in_it() -> None:
    text = "为什么我的银行卡在国外不能取款?请帮我查一下手续费是多少。"
    demos = (("请问转账要多久?我昨天汇了钱。", "x"), ("我的手机丢了,怎么冻结账户?", "y"))
    prompt = synthesize(parent=text, topic="手续费", relation="取决", attribute="取款").replace(
        examples(), examples(demos)
    )
    said = say(prompt.replace("8 to 50 words", "10 to 90 characters"), system="Language: Chinese")
    assert not re.search("[A-Za-z]", said)
    assert "取款" in said
    assert 10 <= len(said) <= 90


def test_german_text_is_german() -> None:
    demos = (("Wo bleibt meine Rechnung für den Mai?", "x"), ("Der Drucker streikt seit dem Update.", "y"))
    prompt = synthesize(
        parent="Mein Paket mit 14 Lampen liegt noch im Lager.",
        topic="Paket",
        relation="braucht",
        attribute="Porto",
    )
    said = say(prompt.replace(examples(), examples(demos)), system="Language: German")
    assert "Porto" in said
    assert not re.search(r"\b(the|and|with)\b", said)


def test_a_probe_without_tags_is_answered_in_the_form_it_asks_for() -> None:
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}, "word": {"enum": ["a", "b"]}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "probe", "schema": schema}}
    assert json.loads(say("Say something.", response_format=wanted)) == {"ok": True, "word": "a"}
    assert "simulator" in say("Who are you?")
