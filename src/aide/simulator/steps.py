"""What the simulator says at every step of the method."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain, count
from typing import Any, Final

import orjson

from aide.simulator import answers, card
from aide.simulator.dice import Dice, share_of
from aide.simulator.grades import grade
from aide.simulator.languages import WORD, lexicon_for
from aide.simulator.lexicon import Lexicon
from aide.simulator.reading import Prompt, Tag
from aide.simulator.settings import SimulatorSettings
from aide.simulator.texts import Order, write_input

Step = Callable[[Prompt, SimulatorSettings], str]

_KINDS: Final = ("constraint", "reasoning", "concretize")
_RELATIONS: Final = re.compile(r"^\s*(.*?) \| (.*?)\s*$", re.MULTILINE)
_FIELD: Final = re.compile(r"[^\W\d_]+(?: \d+)?:")
_REVISIONS: Final = 12
_VERBAL: Final = ("ing", "ed", "ly", "ous", "ive", "ful", "est")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


# --- what a text is about -----------------------------------------------------------------------


def _extract(prompt: Prompt, _: SimulatorSettings) -> str:
    text = prompt.get("text")
    lexicon = lexicon_for(prompt.language, text)
    words = _themes(text, lexicon)
    dice = Dice("extract", text, prompt.retry, prompt.draw)
    topic = dice.pick(words[: max(1, len(words) // 3)])
    triples = _triples(words, {topic.casefold()}, prompt.asked, lexicon, dice)
    return _json({"topic": topic, "triples": triples})


def _expand_graph(prompt: Prompt, _: SimulatorSettings) -> str:
    text, topic = prompt.get("text"), prompt.get("topic")
    known = {attribute.casefold() for _, attribute in _RELATIONS.findall(prompt.get("triples"))}
    lexicon = lexicon_for(prompt.language, text or topic)
    dice = Dice("graph", text, topic, *sorted(known), prompt.retry, prompt.draw)
    return _json(
        {"triples": _triples(_themes(text, lexicon), known | {topic.casefold()}, prompt.asked, lexicon, dice)}
    )


def _themes(text: str, lexicon: Lexicon) -> list[str]:
    """The content words of a text, likely nouns first."""
    words = answers.content_words(_FIELD.sub(" ", text), lexicon)
    if lexicon.code == "de":
        words.sort(key=lambda word: word[0].islower())
    elif lexicon.code == "en":
        words.sort(key=lambda word: word.endswith(_VERBAL) or len(word) < 5)
    return words or [text.strip()[:12] or "text"]


def _triples(
    words: list[str], taken: set[str], count: int, lexicon: Lexicon, dice: Dice
) -> list[dict[str, str]]:
    """`count` attributes, none of them like another or one taken; common things where words run out."""
    likely = (len(words) + 1) // 2 if len(words) > 2 * count else len(words)
    things = dice.sample(lexicon.things, len(lexicon.things))
    pairs = (f"{first} {second}" for first in words for second in words if first != second)
    numbered = (f"{words[0]} {number}" for number in range(2, 2 + count + len(taken)))
    picked: dict[str, str] = {}
    for word in chain(dice.sample(words[:likely], likely), words[likely:], things, pairs, numbered):
        if len(picked) == count:
            break
        key = word.strip().casefold()
        if key not in taken:
            picked.setdefault(key, word.strip())
    return [{"relation": dice.pick(lexicon.relations), "attribute": word} for word in picked.values()]


def _personas(prompt: Prompt, _: SimulatorSettings) -> str:
    topic = prompt.get("about")
    lexicon = lexicon_for(prompt.language, topic)
    dice = Dice("personas", topic, prompt.retry, prompt.draw)
    found: dict[str, None] = {}
    for turn in count():
        if len(found) >= prompt.asked:
            break
        for person in dice.sample(lexicon.people, len(lexicon.people)):
            habit = dice.pick(lexicon.habits).format(t=topic, w=person)
            spent = len(found) >= 200 or turn >= 20  # a lexicon has so many pairs and no more
            found[f"{person} {habit} {len(found)}" if spent else f"{person} {habit}"] = None
            if len(found) == prompt.asked:
                break
    return _json({"personas": list(found)})


# --- new inputs ---------------------------------------------------------------------------------


def _order(prompt: Prompt, tags: Mapping[str, Tag]) -> Order:
    def get(name: str) -> str:
        return tags[name].text if name in tags else ""

    low, high, unit = prompt.length
    kind = tags["change"].attributes.get("kind", "other") if "change" in tags else "other"
    salt = "\x1f".join((prompt.retry, prompt.draw)) if prompt.retry or prompt.draw else ""
    return Order(
        kind=kind,
        parent=get("parent"),
        seed=get("seed"),
        topic=get("topic"),
        relation=get("relation"),
        attribute=get("attribute"),
        persona=get("persona"),
        label=get("label"),
        other_labels=tuple(filter(None, (get("not_label"),))),
        salt=salt,
        low=low,
        high=high,
        unit=unit,
        language=prompt.language,
        examples=prompt.examples,
    )


def _new_input(order: Order, settings: SimulatorSettings) -> str:
    """One new input; a share of them nearly repeats a sibling, a share one of a few texts word for word."""
    names = ("twin", order.kind, order.parent, order.topic, order.attribute, order.persona, order.salt)
    place = share_of(*names)
    if place >= settings.near + settings.repeat or order.salt.startswith("revise"):
        return write_input(order)
    if place < settings.repeat:
        return write_input(_favourite(order, Dice(*names)))
    twin = replace(order, salt="")
    if order.kind in _KINDS:
        twin = replace(twin, kind=_KINDS[_KINDS.index(order.kind) - 1])
    else:
        twin = replace(twin, persona="", attribute="")
    words = write_input(twin).split(" ")
    turn = 1 + Dice(*names).below(max(1, len(words) - 2))
    return " ".join(
        (*words[: turn - 1], words[min(turn, len(words) - 1)], words[turn - 1], *words[turn + 1 :])
    )


def _favourite(order: Order, dice: Dice) -> Order:
    """What a lazy model writes whatever it is asked for: one text for each demonstration and label."""
    parent = dice.pick(order.examples).input if order.examples else order.parent
    bare = replace(order, seed="", topic="", relation="", attribute="", persona="", salt="")
    return replace(bare, kind=_KINDS[0], parent=parent)


def _synthesize(prompt: Prompt, settings: SimulatorSettings) -> str:
    return _new_input(_order(prompt, prompt.tags), settings)


def _siblings(prompt: Prompt, settings: SimulatorSettings) -> str:
    items = []
    for number, tags in enumerate(prompt.wanted, start=1):
        text = _new_input(_order(prompt, {**prompt.tags, **tags}), settings)
        items.append(f'<item n="{number}">{text}</item>')
    return "\n".join(items)


def _revise(prompt: Prompt, settings: SimulatorSettings) -> str:
    """A fresh wording; of low graded drafts nine in ten are mended, of lost ones few."""
    draft = prompt.get("draft")
    order, wanted = _order(prompt, prompt.tags), grade(draft, settings).outcome
    mended = wanted != "lost" and share_of("mended", draft) < 0.9
    text = draft
    for turn in range(_REVISIONS):
        text = write_input(replace(order, salt=f"revise\x1f{turn}\x1f{order.salt}\x1f{draft}"))
        if (grade(text, settings).outcome == "good") is mended:
            break
    return text


# --- answers and judgement ----------------------------------------------------------------------


def answer(prompt: Prompt, settings: SimulatorSettings) -> str:
    """The answer to the question of a prompt, in the form that it asks for."""
    question = prompt.get("question")
    form = prompt.tags.get("answer_as")
    kind = form.attributes.get("kind", "free_text") if form else "free_text"
    lexicon = lexicon_for(prompt.language, question)
    dice = Dice(
        "answer", kind, question, prompt.draw, prompt.retry, *sorted(name for name, _ in prompt.labels)
    )
    style = 1 + dice.below(5) if prompt.retry else dice.below(2) if prompt.draw else 0
    if kind == "choose":
        return _choice(prompt, settings, question, dice, lexicon)
    if prompt.labels:
        return _label(prompt, settings, question, dice, style)
    if kind == "tests":
        return answers.function_tests(question)
    # A corrected answer is right: the judge's critique has told what was wrong.
    miss = 1 + dice.below(5) if not prompt.retry and dice.chance(settings.wrong) else 0
    if kind == "multiple_choice":
        count = int(form.attributes.get("options", "4") or 4) if form else 4
        right, *wrong = answers.options(question, lexicon, max(2, count))
        if miss:
            place = miss % len(wrong)
            right, wrong[place] = wrong[place], right
        return _json({"correct": right, "wrong": wrong})
    if kind == "code":
        return answers.function(question, miss, style)
    if kind == "open":
        text = answers.solution(question, prompt.examples, lexicon, miss, style)
    else:
        text = answers.sentence(question, lexicon, miss, style)
    return (
        f"{text}\n<evidence>{answers.quote(question, prompt.parts, style)}</evidence>"
        if prompt.parts
        else text
    )


def _choice(prompt: Prompt, settings: SimulatorSettings, question: str, dice: Dice, lexicon: Lexicon) -> str:
    """The right option of a list where it is there, else its last, which says that none is."""
    listed = [name for name, _ in prompt.labels]
    right = answers.options(question, lexicon, 2)[0]
    picked = right if right in listed else listed[-1]
    if dice.chance(settings.wrong):
        picked = dice.pick([name for name in sorted(listed) if name != picked] or [picked])
    return _json({"label": picked})


def _label(prompt: Prompt, settings: SimulatorSettings, question: str, dice: Dice, style: int) -> str:
    label = answers.label_of(question, prompt.labels, prompt.examples)
    others = [name for name, _ in prompt.labels if name != label]
    if others and dice.chance(settings.mislabel):
        label = dice.pick(sorted(others))
    if prompt.parts:
        return _json({"evidence": answers.quote(question, prompt.parts, style), "label": label})
    return _json({"label": label})


def _reflect(prompt: Prompt, settings: SimulatorSettings) -> str:
    candidate, answer = prompt.get("candidate"), prompt.get("candidate_answer")
    lexicon = lexicon_for(prompt.language, candidate)
    own = candidate.strip() == prompt.get("seed").strip()
    graded = grade(candidate, replace(settings, low=0.0, reject=0.0) if own else settings)
    last = answer.strip().rsplit("\n", 1)[-1]
    wrong = answers.is_missed(candidate, last) or answers.is_mistaken(candidate, last, lexicon)
    correct = settings.accept_all or not wrong
    critique = graded.critique if correct else "The answer is not the one that the candidate's facts lead to."
    return _json(
        {
            "own_answer": _own_answer(candidate, answer, correct, lexicon),
            "critique": critique,
            "on_task": graded.on_task,
            "answerable": graded.answerable,
            "gives_away": graded.gives_away,
            "correct": correct,
            "relevance": graded.relevance,
            "diversity": graded.diversity,
        }
    )


def _own_answer(candidate: str, answer: str, correct: bool, lexicon: Lexicon) -> str:
    if correct:
        return answer.strip().rsplit("\n", 1)[-1][:200]
    numeric = answers.is_missed(candidate, answer)
    return str(answers.workings(candidate)[3]) if numeric else answers.options(candidate, lexicon, 2)[0]


# --- anything else ------------------------------------------------------------------------------


def fill(schema: Mapping[str, Any], dice: Dice) -> Any:
    """An instance of a JSON Schema: what a probe without any tag gets where it asks for structure."""
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if kind == "object":
        return {name: fill(inner, dice) for name, inner in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [fill(schema.get("items") or {}, dice) for _ in range(int(schema.get("minItems", 1)))]
    if kind in ("integer", "number"):
        return int(schema.get("minimum", 1))
    return kind == "boolean" or "simulated"


def _unknown(prompt: Prompt, body: Mapping[str, Any]) -> str:
    wanted = body.get("response_format")
    dice = Dice("unknown", prompt.tail)
    if isinstance(wanted, Mapping) and wanted.get("type") == "json_schema":
        holder = wanted.get("json_schema")
        schema = holder.get("schema") if isinstance(holder, Mapping) else None
        return _json(fill(schema or {}, dice))
    if isinstance(wanted, Mapping) and wanted.get("type") == "json_object":
        return _json({"simulator": len(WORD.findall(prompt.tail))})
    return "This is a simulator, not a model."


def asking(prompt: Prompt, text: str) -> Prompt:
    """The prompt that asks for the answer to `text` in the form that this one names."""
    return replace(prompt, step="answer", tags={**prompt.tags, "question": Tag({}, text)})


def together(text: str, said: str) -> str:
    """A new input and its answer, as `--answer joint` wants them."""
    return f"<new>{text}</new>\n<answer>{said}</answer>"


def _with_answer(step: Step) -> Step:
    """A step that also answers what it wrote, where the prompt says how."""

    def both(prompt: Prompt, settings: SimulatorSettings) -> str:
        text = step(prompt, settings)
        if "answer_as" not in prompt.tags:
            return text
        return together(text, answer(asking(prompt, text), settings))

    return both


STEPS: Final[Mapping[str, Step]] = {
    "card": card.describe_task,
    "card_topics": card.name_topics,
    "card_labels": card.define_labels,
    "extract": _extract,
    "expand_graph": _expand_graph,
    "personas": _personas,
    "synthesize": _with_answer(_synthesize),
    "siblings": _siblings,
    "revise": _with_answer(_revise),
    "answer": answer,
    "reflect": _reflect,
}


def say(prompt: Prompt, body: Mapping[str, Any], settings: SimulatorSettings) -> str:
    """The text that answers a prompt."""
    step = STEPS.get(prompt.step)
    return step(prompt, settings) if step else _unknown(prompt, body)
