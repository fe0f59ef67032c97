"""What the simulator answers: a valid instance of any schema, and texts whose blind readings agree."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.formats.base import TaskCard
from aide.gates.form import FormGate
from aide.simulator import Simulator, SimulatorSettings
from aide.text.length import choose_unit, measure_length
from unit.simulator.prompting import (
    DEMOS,
    GRADE,
    PARENT,
    TRIPLES,
    VERDICT,
    answer,
    examples,
    json_of,
    labels,
    listed,
    reflect,
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
    answer("json", PARENT),
    synthesize(),
    f"<text>{PARENT}</text>",
)


@given(SCHEMAS, st.sampled_from(USERS))
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


WANTED = "".join(
    f'<wanted n="{n}">\n<attribute>{word}</attribute>\n<label>{label}</label>\n'
    '<change kind="x">\ny\n</change>\n</wanted>\n'
    for n, (word, label) in enumerate(
        (("stamps", "billing"), ("glue", "delivery"), ("tape", "praise")), start=1
    )
)
SEVERAL = f"{examples()}<parent>\n{PARENT}\n</parent>\n<topic>order</topic>\n{WANTED}8 to 50 words"


@pytest.mark.parametrize("form", ["tags", "list", "objects"])
def test_several_texts_come_by_number_in_tags_or_in_a_list(form: str) -> None:
    if form == "tags":
        said = say(f'{SEVERAL}. Write <item n="1">the new one</item> for each.')
        found = re.findall(r'<item n="(\d)">(.*?)</item>', said, re.DOTALL)
        assert [number for number, _ in found] == ["1", "2", "3"]
        texts = [each for _, each in found]
    elif form == "list":
        texts = read(SEVERAL, schema=shape(items=listed(text())))["items"]
    else:
        texts = [
            each["input"] for each in read(SEVERAL, schema=shape(items=listed(shape(input=text()))))["items"]
        ]
    names = ("praise", "delivery", "billing", "technical")
    for each, word, label in zip(
        texts, ("stamps", "glue", "tape"), ("billing", "delivery", "praise"), strict=True
    ):
        assert word in each
        assert read(answer("classification", each), schema=labels(*names)) == {"label": label}


def test_several_candidates_are_judged_each_by_its_own_mark() -> None:
    texts = [say(synthesize(attribute=f"item{number}")) for number in range(30)]
    shown = "".join(
        f'<candidate n="{n}">\n{each}\n</candidate>\n<candidate_answer n="{n}">x</candidate_answer>\n'
        for n, each in enumerate(texts, start=1)
    )
    several = read(shown, schema=shape(verdicts=listed(VERDICT)))["verdicts"]
    assert several == [read(reflect(each, "x"), schema=VERDICT) for each in texts]


def test_items_that_tell_their_number_tell_it_right() -> None:
    guess = shape(group=GRADE, n=GRADE, certainty=GRADE)
    said = read("<text>a</text><text>b</text>", schema=shape(guesses=listed(guess, minItems=4, maxItems=4)))
    assert [(each["group"], each["n"]) for each in said["guesses"]] == [(n, n) for n in range(1, 5)]


def test_new_texts_of_one_list_differ_where_nothing_numbers_them() -> None:
    schema = shape(texts=listed(text(), minItems=8))
    assert len(set(read(synthesize(), schema=schema)["texts"])) == 8


# --- new texts ----------------------------------------------------------------------------------


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
        say(synthesize("constraint", **base), ("assistant", "x"), ("user", "No.")),
    }
    assert len(seen) == 13
    assert "postage" in say(synthesize("constraint", **base))


def test_the_anchor_brings_the_seed_back() -> None:
    seed = "The bill for 3 chairs came twice. Whom do I tell?"
    assert {"3"} < set(say(synthesize(attribute="stamps", seed=seed)).split())
    assert "3" not in say(synthesize(attribute="stamps")).split()


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
        prompt = synthesize(parent=parent, topic="", attribute="", number=str(number))
        prompt = prompt.replace(examples(), shown).replace("8 to 50 words", f"{least} to {most + 4} {unit}")
        said = say(prompt)
        seen.add(said)
        assert gate.check(said, seed=seeds[0], parent=parent) is None, said
        parent = said if number % 5 == 0 else parent
    assert len(seen) == 60


def test_short_bounds_are_kept_too() -> None:
    for least, most in ((3, 12), (1, 1), (2, 3)):
        said = say(synthesize(attribute="stamps").replace("8 to 50", f"{least} to {most}"))
        assert least <= len(said.split()) <= most
    assert 4 <= len(say(synthesize(parent="银行卡").replace("8 to 50 words", "4 to 9 characters"))) <= 9


def test_a_near_duplicate_is_like_its_sibling_and_a_repeat_like_many() -> None:
    near = Simulator(SimulatorSettings(near=1.0, wrong=0))
    twin, sibling = say(synthesize("reasoning"), simulator=near), say(synthesize("concretize"))
    assert (twin != sibling, sorted(twin.split())) == (True, sorted(sibling.split()))
    again = Simulator(SimulatorSettings(repeat=0.5, near=0))
    texts = [say(synthesize(attribute=f"item{number}"), simulator=again) for number in range(180)]
    assert 85 < len(set(texts)) < 115


# --- blind readings -----------------------------------------------------------------------------

LABELS = ("delivery", "billing", "technical", "account_closed", "praise")


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("kind", ["constraint", "persona"])
def test_the_blind_answer_finds_the_intended_label(label: str, kind: str) -> None:
    said = say(synthesize(kind, attribute="stamps", label=label, not_label="praise"))
    for order in (LABELS, LABELS[::-1]):
        assert read(answer("classification", f"  {said}\n"), schema=labels(*order)) == {"label": label}
    assert read(reflect(said, label), schema=VERDICT)["correct"] is True
    assert read(reflect(said, "none of it"), schema=VERDICT)["correct"] is False


def test_a_text_by_people_is_answered_as_an_example_shows_it_else_always_the_same() -> None:
    for question, label in DEMOS:
        assert read(answer("classification", question), schema=labels(*LABELS)) == {"label": label}
        assert say(answer("free_text", question)) == label
    told = {
        read(answer("classification", PARENT), schema=labels(*order))["label"]
        for order in (LABELS, LABELS[::-1])
    }
    assert len(told) == 1


def test_wrong_labels_are_as_many_as_set_and_draws_are_independent() -> None:
    bad = Simulator(SimulatorSettings(mislabel=0.2))
    wrong = twice = 0
    for number in range(300):
        said = say(synthesize(attribute=f"item{number}", label="billing"))
        missed = [
            read(answer("classification", said), schema=labels(*LABELS), simulator=bad, seed=s)["label"]
            != "billing"
            for s in (1, 2)
        ]
        wrong += sum(missed)
        twice += all(missed)
    assert 0.13 < wrong / 600 < 0.27
    assert twice < 30


@pytest.mark.parametrize("kind", ["open", "free_text", "code", "multiple_choice"])
def test_answers_that_were_wrong_are_found_by_the_judge_and_healed_by_a_correction(kind: str) -> None:
    slips = Simulator(SimulatorSettings(wrong=1.0))
    question = say(synthesize(attribute="stamps"))
    prompt = answer(kind, question, options="4")
    first = say(prompt, simulator=slips)
    again = say(prompt, ("assistant", first), ("user", "That is wrong."), simulator=slips)
    assert again != first
    verdicts = [
        read(reflect(question, shown(said)), simulator=slips, schema=VERDICT) for said in (first, again)
    ]
    assert [verdict["correct"] for verdict in verdicts] == [False, True]
    assert verdicts[0]["own_answer"] in again


def shown(said: str) -> str:
    """An answer as the judge sees it: of options the right one."""
    return str(json.loads(said)["correct"]) if said.startswith("{") else said


def test_further_draws_are_worded_anew_and_agree() -> None:
    question = say(synthesize(attribute="stamps"))
    said = [say(answer("open", question), seed=draw) for draw in range(5)]
    assert len(set(said)) == 5
    assert len({each.rsplit("\n", 1)[1] for each in said}) == 1
    left, right, result = map(int, re.findall(r"\d+", said[0])[:3])
    assert left + right == result


def test_options_are_as_many_as_asked_and_the_blind_choice_finds_the_right_one() -> None:
    question = say(synthesize(attribute="stamps"))
    for number in (2, 4, 10):
        said = read(answer("multiple_choice", question, options=str(number)),
                    schema=shape(correct=text(), wrong=listed(text())))  # fmt: skip
        options = [*said["wrong"], said["correct"]]
        assert len(set(options)) == number
        assert read(answer("choose", question), schema=labels(*options, "none")) == {"label": said["correct"]}


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
    question = say(synthesize(attribute="stamps"))
    said = [read(answer("json", question), schema=schema, seed=draw) for draw in range(5)]
    assert said == [said[0]] * 5
    assert read(answer("json", PARENT), schema=schema) != said[0]


def test_evidence_stands_word_for_word_in_the_part() -> None:
    part = "The tenant pays by the third day.\nA late fee of 5 per cent is due after ten days."
    system = f'<part name="contract">\n{part}\n</part>\n\nYou answer.'
    schema = shape(evidence=text(), label=text(enum=["Yes", "No"]))
    assert read(answer("yes_no", "Is a late fee due?"), system=system, schema=schema)["evidence"] in part
    asks = answer("free_text", "Is a late fee due?").replace(
        "Answer.", "Answer, then <evidence>a quote</evidence>."
    )
    found = re.search(r"<evidence>(.*)</evidence>\Z", say(asks, system=system), re.DOTALL)
    assert found
    assert found[1] in part


def test_a_text_and_its_answer_come_in_one_call_in_the_tags_that_are_shown() -> None:
    form = '<answer_as kind="open">Answer.</answer_as>\n<new>the new one</new>\n<answer>its answer</answer>'
    found = re.fullmatch(r"<new>(.*)</new>\n<answer>(.*)</answer>", say(synthesize() + form), re.DOTALL)
    assert found
    assert read(reflect(found[1], found[2]), schema=VERDICT)["correct"] is True
    assert say(answer("open", found[1])).rsplit("\n", 1)[1] == found[2].rsplit("\n", 1)[1]


# --- grades -------------------------------------------------------------------------------------


def passes(verdict: Any) -> bool:
    return bool(
        verdict["on_task"] and verdict["answerable"] and not verdict["gives_away"]
        and verdict["relevance"] >= 7 and verdict["diversity"] >= 5
    )  # fmt: skip


def test_grades_spread_as_set_and_most_revisions_mend() -> None:
    passed = mended = low = 0
    for number in range(200):
        prompt = synthesize(attribute=f"item{number}")
        said = say(prompt)
        if passes(read(reflect(said, "An answer."), schema=VERDICT)):
            passed += 1
            continue
        low += 1
        revised = say(f"{prompt}\n<draft>\n{said}\n</draft>\n<critique>\nToo near.\n</critique>")
        assert revised != said
        mended += passes(read(reflect(revised, "An answer."), schema=VERDICT))
    assert 0.65 < passed / 200 < 0.85
    assert 0.4 < mended / low < 0.8
    kind = Simulator(SimulatorSettings(accept_all=True))
    assert passes(read(reflect("A text.", "1"), schema=VERDICT, simulator=kind))


def test_a_seed_itself_is_good_and_a_verdict_has_its_keys_in_order() -> None:
    harsh = Simulator(SimulatorSettings(reject=1.0))
    assert passes(read(reflect(PARENT, "x", seed=PARENT), schema=VERDICT, simulator=harsh))
    assert not passes(read(reflect(PARENT, "x"), schema=VERDICT, simulator=harsh))
    assert list(read(reflect("A text.", "x"), schema=VERDICT)) == list(VERDICT["properties"])
    assert 1 <= read(reflect("A text.", "x"), schema=shape(humour=GRADE))["humour"] <= 10
