"""What the simulator answers: a valid instance of any schema, and texts whose blind readings agree."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aide.formats.task import TaskCard
from aide.gates.form import FormGate
from aide.simulator import Simulator, SimulatorSettings
from aide.text.length import choose_unit, measure_length
from unit.simulator.prompting import (
    ANSWERED_ITEMS,
    COMPARISONS,
    DEMOS,
    FORMS,
    GRADE,
    ITEMS,
    PARENT,
    READING,
    READINGS,
    TRIPLES,
    answer,
    beside,
    blind,
    examples,
    json_of,
    labels,
    listed,
    request,
    shape,
    synthesize,
    text,
    text_of,
)

CALM = Simulator(SimulatorSettings(near=0, wrong=0))


def say(user: str, *after: Any, simulator: Simulator = CALM, **extra: Any) -> str:
    return text_of(simulator.answer(request(user, *after, **extra)))


def read(user: str, *after: Any, simulator: Simulator = CALM, **extra: Any) -> Any:
    return json_of(simulator.answer(request(user, *after, **extra)))


def judge(written: str, said: str = "x", simulator: Simulator = CALM) -> dict[str, Any]:
    """Both parts of the verdict on one text."""
    blindly = read(blind(written), simulator=simulator, schema=READINGS)["verdicts"][0]
    beside_it = read(beside((written, said)), simulator=simulator, schema=COMPARISONS)["verdicts"][0]
    return {**blindly, **beside_it}


# --- any schema ---------------------------------------------------------------------------------


def bounds(least: str, most: str) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(sorted)
    return st.one_of(st.just({}), pairs.map(lambda pair: {least: pair[0], most: pair[1]}))


NAMES = st.sampled_from(
    ("topic", "label", "correct", "wrong", "n", "evidence", "language", "anything", "x y")
)
LEAVES = st.one_of(
    bounds("minLength", "maxLength").map(lambda more: {"type": "string", **more}),
    bounds("minimum", "maximum").map(lambda more: {"type": "integer", **more}),
    st.integers(0, 6).map(lambda low: {"type": "number", "exclusiveMinimum": low, "maximum": low + 2}),
    st.sampled_from(
        [
            {"type": "boolean"}, {"type": "null"}, {"type": ["null", "string"]}, {"enum": [3, 4]},
            {"const": "same"}, {"type": "string", "enum": ["a", "b"]},
            {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        ]
    ),
)  # fmt: skip
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, bounds("minItems", "maxItems")).map(lambda pair: listed(pair[0], **pair[1])),
        st.dictionaries(NAMES, inner, max_size=4).map(lambda properties: shape(**properties)),
    ),
    max_leaves=8,
)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """A validator for what the schemas above hold."""
    if "anyOf" in schema:
        return any(fits(value, choice) for choice in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kind = schema["type"]
    if isinstance(kind, list):
        return any(fits(value, {**schema, "type": each}) for each in kind)
    if kind == "object":
        return list(value) == schema["required"] and all(
            fits(value[name], inner) for name, inner in schema["properties"].items()
        )
    if kind == "array":
        right = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 99)
        return right and all(fits(each, schema["items"]) for each in value)
    if kind == "string":
        return isinstance(value, str) and schema.get("minLength", 0) <= len(value) <= schema.get(
            "maxLength", 9999
        )
    if kind in ("integer", "number"):
        least, above = schema.get("minimum", -9), schema.get("exclusiveMinimum", -9)
        return type(value) is int and max(least, above + 1) <= value <= schema.get("maximum", 9999)
    return value is None if kind == "null" else type(value) is bool


USERS = (
    f"<claim>{PARENT}</claim>",
    "Name a city.",
    answer("values", PARENT),
    synthesize(),
    f"<text>{PARENT}</text>",
)


FEW = {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "minItems": 3, "maxItems": 3}


@given(SCHEMAS, st.sampled_from(USERS))
@example({"type": "object", "properties": {"topic": FEW}, "required": ["topic"]}, USERS[2])
def test_any_schema_gets_a_valid_instance(schema: dict[str, Any], user: str) -> None:
    found = read(user, schema=schema)
    assert fits(found, schema), found


def test_fields_of_a_name_that_the_prompt_shows_are_taken_from_there() -> None:
    schema = shape(claim=text(), source=text(maxLength=3))
    assert read("<claim>Salt is white.</claim><source>a book</source>", schema=schema) == {
        "claim": "Salt is white.",
        "source": "a b",
    }


def test_a_probe_without_tags_is_answered_in_the_form_it_asks_for() -> None:
    schema = shape(ok={"type": "boolean"}, word={"enum": ["a", "b"]})
    assert read("Say something.", schema=schema)["ok"] is True
    assert "simulator" in say("Who are you?")
    assert say("Say something.", response_format={"type": "json_object"}) == "{}"


TEXTS = [
    PARENT,
    "Kurz.",
    "为什么银行卡在国外不能取款?请帮我查一下手续费。",
    "لماذا لم يصل الطرد؟",
    "12",
    "a a a",
]


@pytest.mark.parametrize("about", TEXTS)
def test_attributes_are_as_many_as_asked_and_none_is_twice(about: str) -> None:
    said = read(f"<text>\n{about}\n</text>\nName them.", schema=shape(topic=text(), triples=TRIPLES))
    lines = "\n".join(f"{t['relation']} | {t['attribute']}" for t in said["triples"])
    shown = f"<text>\n{about}\n</text>\n<topic>{said['topic']}</topic>\n<triples>\n{lines}\n</triples>\n"
    more = read(f"{shown}Give exactly 2 more.", schema=shape(triples=listed(TRIPLES["items"])))
    attributes = [triple["attribute"] for triple in said["triples"] + more["triples"]]
    assert len(attributes) == 5
    assert len({each.strip().casefold() for each in (said["topic"], *attributes)}) == 6
    assert all(triple["relation"] for triple in said["triples"] + more["triples"])


def test_personas_differ_and_name_their_topic() -> None:
    said = read("<about>loans</about>\nDescribe exactly 40.", schema=shape(personas=listed(text())))
    assert len(set(said["personas"])) == 40
    assert all("loans" in persona for persona in said["personas"])


# --- prompts that do not exist yet --------------------------------------------------------------


def test_one_call_may_ask_for_topic_triples_and_personas() -> None:
    schema = shape(topic=text(), triples=TRIPLES, personas=listed(text(), minItems=2, maxItems=2))
    said = read(f"<text>\n{PARENT}\n</text>\nName them all.", schema=schema)
    assert len({said["topic"], *(triple["attribute"] for triple in said["triples"])}) == 4
    assert len(set(said["personas"])) == 2


SEVERAL = ("stamps – are lost; about 12 words.", "glue. About 20 words.", "tape is asked for.")


@pytest.mark.parametrize("form", ["tags", "list", "objects"])
def test_several_texts_come_by_number_in_tags_or_in_a_list(form: str) -> None:
    asked = synthesize(*SEVERAL, label="billing", reply=ITEMS if form == "tags" else "One JSON object.")
    if form == "tags":
        found = re.findall(r'<item n="(\d)">(.*?)</item>', say(asked), re.DOTALL)
        assert [number for number, _ in found] == ["1", "2", "3"]
        texts = [each for _, each in found]
    elif form == "list":
        texts = read(asked, schema=shape(texts=listed(text())))["texts"]
    else:
        texts = [
            each["input"] for each in read(asked, schema=shape(items=listed(shape(input=text()))))["items"]
        ]
    names = ("praise", "delivery", "billing", "technical")
    for each, word in zip(texts, ("stamps", "glue", "tape"), strict=True):
        assert word in each
        assert read(answer("label", each), schema=labels(*names)) == {"label": "billing"}


def test_several_texts_are_judged_each_by_its_own_mark() -> None:
    texts = [say(synthesize(f"item{number}.")) for number in range(30)]
    several = read(blind(*texts), schema=READINGS)["verdicts"]
    assert [each.pop("n") for each in several] == list(range(1, 31))
    alone = [read(blind(each), schema=READINGS)["verdicts"][0] for each in texts]
    assert several == [{name: value for name, value in each.items() if name != "n"} for each in alone]
    pairs = [(each, f"It is {number}.") for number, each in enumerate(texts)]
    compared = read(beside(*pairs), schema=COMPARISONS)["verdicts"]
    assert [each["diversity"] for each in compared] == [judge(each)["diversity"] for each in texts]


def test_items_that_tell_their_number_tell_it_right() -> None:
    guess = shape(group=GRADE, n=GRADE, certainty=GRADE)
    said = read("<text>a</text><text>b</text>", schema=shape(guesses=listed(guess, minItems=4, maxItems=4)))
    assert [(each["group"], each["n"]) for each in said["guesses"]] == [(n, n) for n in range(1, 5)]


def test_new_texts_of_one_list_differ_where_nothing_numbers_them() -> None:
    schema = shape(texts=listed(text(), minItems=8))
    assert len(set(read(synthesize(), schema=schema)["texts"])) == 8


# --- new texts ----------------------------------------------------------------------------------


def test_all_that_a_prompt_asks_for_changes_the_text() -> None:
    chairs = "The bill for 3 chairs came twice. Whom do I tell?"
    seen = {
        say(synthesize()),
        say(synthesize("postage – depends on order; with one more step. About 18 words.")),
        say(synthesize("a baker who jokes about lamps. About 18 words.")),
        say(synthesize("a farmer who is new to lamps. About 18 words.")),
        say(synthesize(parent="")),
        say(synthesize(parent=chairs)),
        say(synthesize(seed=chairs)),
        say(synthesize(label="billing")),
        say(synthesize(shown=examples(DEMOS[:2]))),
        say(synthesize(), seed=7),
        say(synthesize(), ("assistant", "x"), ("user", "No.")),
    }
    assert len(seen) == 11
    assert "postage" in say(synthesize("postage – depends on order. About 18 words."))


def test_the_anchor_brings_the_seed_back() -> None:
    seed = "The bill for 3 chairs came twice. Whom do I tell?"
    assert "3" in say(synthesize(seed=seed)).split()
    assert "3" not in say(synthesize()).split()


SEEDS = {
    "English": ["en", *(question for question, _ in DEMOS), PARENT],
    "German": [
        "de", "Wo bleibt meine Rechnung für den Mai, ich warte seit Wochen?",
        "Der Drucker streikt seit dem Update.", "Mein Paket mit 14 Lampen liegt noch im Lager.",
    ],
    "Chinese": [
        "zh", "请问转账要多久?我昨天汇了钱。", "我的手机丢了,怎么冻结账户?",
        "为什么我的银行卡在国外不能取款?请帮我查一下手续费是多少。",
    ],
    "Hindi": [
        "hi", "मुझे अपना पार्सल नहीं मिला, कृपया मदद करें।", "बिल में बारह लाइसेंस क्यों दिखते हैं?",
        "मेरा ऑर्डर पुराने पते पर क्यों गया?",
    ],
    "Thai": [
        "th", "คำสั่งซื้อของฉันอยู่ที่ไหนตอนนี้", "ทำไมใบแจ้งหนี้ของเดือนพฤษภาคมจึงผิด",
        "เครื่องพิมพ์ไม่ทำงานตั้งแต่อัปเดต",
    ],
}  # fmt: skip


@pytest.mark.parametrize("language", SEEDS)
def test_texts_pass_the_gates_in_any_language(language: str) -> None:
    code, *seeds = SEEDS[language]
    unit = choose_unit(seeds)
    least, most = (
        min(measure_length(each, unit) for each in seeds),
        max(measure_length(each, unit) for each in seeds),
    )
    card = TaskCard(
        format="open", language=language, language_code=code, min_words=least, max_words=most + 4, unit=unit
    )
    gate = FormGate(card, seeds, ["1"] * len(seeds))
    shown = examples(tuple((each, "x") for each in seeds))
    parent, seen = seeds[-1], set()
    for number in range(60):
        length = least + number % (most + 1 - least)
        said = say(synthesize(f"{number}. About {length} {unit}.", parent=parent, shown=shown))
        seen.add(said)
        assert gate.check(said, seed=seeds[0], parent=parent) is None, said
        parent = said if number % 5 == 0 else parent
    assert len(seen) == 60


def test_lengths_sentences_and_lines_are_as_asked() -> None:
    for length in (1, 2, 5, 30):
        assert len(say(synthesize(f"stamps. About {length} words.")).split()) == length
    assert 8 <= len(say(synthesize("银行. About 9 characters.", parent="银行卡在国外", shown=""))) <= 9
    said = say(synthesize("stamps. About 30 words, 3 sentences; on 2 lines."))
    assert (said.count(".") + said.count("?"), said.count("\n")) == (3, 1)


def test_a_near_duplicate_is_like_its_sibling_and_a_repeat_like_many() -> None:
    near = Simulator(SimulatorSettings(near=1.0, wrong=0))
    asked = synthesize("stamps. About 18 words.", "glue. About 18 words.", reply="One JSON object.")
    schema = shape(texts=listed(text()))
    twin = read(asked, simulator=near, schema=schema)["texts"][0]
    sibling = read(asked, schema=schema)["texts"][1]
    assert (twin != sibling, sorted(twin.split())) == (True, sorted(sibling.split()))
    again = Simulator(SimulatorSettings(repeat=0.5, near=0))
    texts = [say(synthesize(f"item{number}."), simulator=again) for number in range(180)]
    assert 85 < len(set(texts)) < 115


# --- blind readings -----------------------------------------------------------------------------

LABELS = ("delivery", "billing", "technical", "account_closed", "praise")


@pytest.mark.parametrize("label", LABELS)
def test_the_blind_answer_finds_the_intended_label(label: str) -> None:
    said = say(synthesize(label=label, not_label="praise"))
    for order in (LABELS, LABELS[::-1]):
        assert read(answer("label", f"  {said}\n"), schema=labels(*order)) == {"label": label}
        reading = shape(
            verdicts=listed(
                {**READING, "properties": {**READING["properties"], "answer": text(enum=list(order))}}
            )
        )
        assert read(blind(said), schema=reading)["verdicts"][0]["answer"] == label


def test_a_text_by_people_is_answered_as_an_example_shows_it_else_always_the_same() -> None:
    for question, label in DEMOS:
        assert read(answer("label", question), schema=labels(*LABELS)) == {"label": label}
        assert say(answer("free_text", question)) == label
    told = {read(answer("label", PARENT), schema=labels(*order))["label"] for order in (LABELS, LABELS[::-1])}
    assert len(told) == 1


def test_wrong_labels_are_as_many_as_set_and_draws_are_independent() -> None:
    bad = Simulator(SimulatorSettings(mislabel=0.2))
    wrong = twice = 0
    for number in range(300):
        said = say(synthesize(f"item{number}.", label="billing"))
        missed = [
            read(answer("label", said), schema=labels(*LABELS), simulator=bad, seed=s)["label"] != "billing"
            for s in (1, 2)
        ]
        wrong += sum(missed)
        twice += all(missed)
    assert 0.13 < wrong / 600 < 0.27
    assert twice < 30


@pytest.mark.parametrize("form", ["open", "free_text", "code", "options"])
def test_answers_that_were_wrong_are_found_by_the_judge_and_healed_by_a_correction(form: str) -> None:
    slips = Simulator(SimulatorSettings(wrong=1.0))
    question = say(synthesize())
    schema = shape(correct=text(), wrong=listed(text())) if form == "options" else None
    prompt = answer(form, question)
    first = say(prompt, simulator=slips, schema=schema)
    again = say(prompt, ("assistant", first), ("user", "That is wrong."), simulator=slips, schema=schema)
    assert again != first
    verdicts = [judge(question, shown(said), simulator=slips) for said in (first, again)]
    assert [verdict["correct"] for verdict in verdicts] == [False, True]
    assert verdicts[0]["answer"] in again


def shown(said: str) -> str:
    """An answer as the judge sees it: of options the right one."""
    return str(json.loads(said)["correct"]) if said.startswith("{") else said


def test_further_draws_are_worded_anew_and_agree() -> None:
    question = say(synthesize())
    said = [say(answer("open", question), seed=draw) for draw in range(5)]
    assert len(set(said)) == 5
    assert len({each.rsplit("\n", 1)[1] for each in said}) == 1
    left, right, result = map(int, re.findall(r"\d+", said[0])[:3])
    assert left + right == result


def test_options_are_as_many_as_asked_and_the_blind_choice_finds_the_right_one() -> None:
    question = say(synthesize())
    for number in (2, 4, 10):
        said = read(
            answer("options", question, number - 1), schema=shape(correct=text(), wrong=listed(text()))
        )
        options = [*said["wrong"], said["correct"]]
        assert len(set(options)) == number
        assert read(answer("label", question), schema=labels(*options, "none")) == {"label": said["correct"]}
        lettered = "\n".join(f"{chr(65 + place)}) {option}" for place, option in enumerate(options))
        assert judge(f"{question}\n{lettered}")["answer"] == chr(64 + number)


def test_code_passes_the_tests_written_without_sight_of_it() -> None:
    question = "Write add_up(first: int, second=0, *rest) that returns a number."
    code = re.fullmatch(r"```python\n(.*)\n```", say(answer("code", question)), re.DOTALL)
    tests = re.fullmatch(r"```python\n(.*)\n```", say(answer("tests", question)), re.DOTALL)
    assert code
    assert tests
    space: dict[str, object] = {}
    exec(f"{code[1]}\n{tests[1]}", space)
    assert "add_up" in space


def test_a_format_that_does_not_exist_yet_is_answered_alike_by_all_who_look() -> None:
    schema = shape(
        amount={"type": "integer"}, name=text(), tags=listed(text(enum=["a", "b", "c"]), maxItems=2)
    )
    question = say(synthesize())
    said = [read(answer("values", question), schema=schema, seed=draw) for draw in range(5)]
    assert said == [said[0]] * 5
    assert read(answer("values", PARENT), schema=schema) != said[0]


def test_evidence_stands_word_for_word_in_the_part() -> None:
    part = "The tenant pays by the third day.\nA late fee of 5 per cent is due after ten days."
    system = f'<part name="contract">\n{part}\n</part>\n\nYou answer.'
    schema = shape(evidence=text(), label=text(enum=["Yes", "No"]))
    assert read(answer("label", "Is a late fee due?"), system=system, schema=schema)["evidence"] in part
    asks = answer("quoted", "Is a late fee due?")
    found = re.search(r"<evidence>(.*)</evidence>\Z", say(asks, system=system), re.DOTALL)
    assert found
    assert found[1] in part


def test_as_many_texts_come_in_tags_as_are_asked_for_where_nothing_numbers_them() -> None:
    said = say(f"{examples()}Write exactly 12 more like these.\n{ANSWERED_ITEMS}")
    found = re.findall(r'<item n="(\d+)">(.*?)\n<answer>', said)
    assert [n for n, _ in found] == [str(n) for n in range(1, 13)]
    assert len({written for _, written in found}) == 12


def test_texts_and_their_answers_come_in_one_call_in_the_tags_that_are_shown() -> None:
    asked = synthesize("stamps.", "glue.", reply=f"{FORMS['open']}\n{ANSWERED_ITEMS}")
    found = re.findall(r'<item n="(\d)">(.*?)\n<answer>(.*?)</answer></item>', say(asked), re.DOTALL)
    assert [number for number, *_ in found] == ["1", "2"]
    for _, question, said in found:
        assert judge(question, said)["correct"] is True
        assert say(answer("open", question)).rsplit("\n", 1)[1] == said.rsplit("\n", 1)[1]


# --- grades -------------------------------------------------------------------------------------


def passes(verdict: Any) -> bool:
    good = ("on_task", "in_style", "plausible", "answerable")
    return bool(
        all(verdict[name] for name in good) and not verdict["gives_away"] and not verdict["residue"]
        and verdict["relevance"] >= 7 and verdict["diversity"] >= 5
    )  # fmt: skip


def test_grades_spread_as_set_and_most_revisions_mend() -> None:
    passed = mended = low = 0
    for number in range(200):
        prompt = synthesize(f"item{number}.")
        said = say(prompt)
        if passes(judge(said)):
            passed += 1
            continue
        low += 1
        revised = say(f"{prompt}\n<draft>\n{said}\n</draft>\n<critique>\nToo near.\n</critique>")
        assert revised != said
        mended += passes(judge(revised))
    assert 0.65 < passed / 200 < 0.85
    assert 0.4 < mended / low < 0.8
    kind = Simulator(SimulatorSettings(accept_all=True, reject=1.0))
    assert passes(judge(say(synthesize()), simulator=kind))


def test_texts_of_people_are_good_and_a_verdict_has_its_keys_in_order() -> None:
    harsh = Simulator(SimulatorSettings(reject=1.0))
    assert passes(judge(PARENT, simulator=harsh))
    assert not passes(judge(say(synthesize()), simulator=harsh))
    assert list(read(blind("A text."), schema=READINGS)["verdicts"][0]) == list(READING["properties"])
    assert 1 <= read(blind("A text."), schema=shape(humour=GRADE))["humour"] <= 10


def test_a_schema_without_measure_is_answered_in_measure() -> None:
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "minLength": 10**9},
            "list": {"type": "array", "items": {"type": "string"}, "minItems": 10**9},
        },
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    body = {"messages": [{"role": "user", "content": "Say it."}], "response_format": wanted}
    assert len(Simulator().write(body)) < 300_000
