"""The half of the task card that is described: a few calls say from examples what the task is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, Final

from pydantic import Field, create_model

from aide.card.definitions import count_batches, define_labels
from aide.card.replies import find_field_faults, join_lines, show_examples
from aide.card.topics import name_topics, wants_topics
from aide.errors import NodeError, Unusable
from aide.formats import FORMATS, Format, TaskCard
from aide.parsing import ModelPayload, ReplyModel, parse_json
from aide.records import WHOLE, Ask, Draft, Parts

MAX_OUTPUT: Final = 700  # tokens: a few short fields, with room for what a model thinks aloud
_EXAMPLES: Final = 10
_TOKENS: Final = (
    3000  # of examples: enough to show what all have in common, and a prompt that a small model still reads
)

_SENTENCES: Final = ("task", "source", "register", "hard", "answer_form")
_NAMES: Final = ("language", "language_code", "locale")
_MAY_BE_EMPTY: Final = ("hard", "locale", "language_code")
# What models write where the prompt asks for an empty string.
_NOTHING: Final = {
    "none",
    "nothing",
    "n/a",
    "na",
    "unknown",
    "not specified",
    "no",
    "null",
    "empty string",
    "empty",
    "-",
}
_LEAD_INS: Final = ("they come from ", "from ")
_LONGEST_NAME: Final = 5  # words: "United Kingdom of Great Britain"


async def describe_card(
    ask: Ask, drafts: Sequence[Draft], counted: TaskCard, instructions: str = "", *, topics: bool = True
) -> TaskCard:
    """The whole card: what was counted, and what a few calls say of the examples.

    One call describes the task, one names the topics of tasks that few or no labels divide, and one for each 40 labels
    defines those that nobody defined. What a call does not give stays empty; a person's own words are never replaced.
    `instructions` are the texts of these prompts, of which nothing may stand in the answers. `topics` is false where
    nobody would use them.

    Raises:
        errors.AideError: of scope `run`.
    """
    card = await _describe_task(ask, drafts, counted, instructions)
    if topics and wants_topics(card):
        card = replace(card, topics=await name_topics(ask, drafts, card, instructions))
    return await define_labels(ask, drafts, card)


def count_card_calls(card: TaskCard) -> int:
    """How many calls `describe_card` makes for a card that was counted."""
    return 1 + wants_topics(card) + count_batches(card)


async def _describe_task(ask: Ask, drafts: Sequence[Draft], counted: TaskCard, instructions: str) -> TaskCard:
    """The card with its fields in words; those that are no good even after a re-ask stay empty."""
    format = FORMATS[counted.format]
    known = {name: getattr(counted, name) for name in ("task", "language")}
    keys = tuple(
        name
        for name in (*_SENTENCES, *_NAMES)
        if not known.get("language" if name == "language_code" else name)
    )
    payload = make_card_payload(keys, instructions)
    try:
        said: Mapping[str, str] = await ask(
            "card",
            payload,
            template="card",
            max_output=MAX_OUTPUT,
            parts=_find_shared(drafts, format),
            demos=show_examples(drafts, counted, _EXAMPLES, _TOKENS),
            task=counted.task,
            language=counted.language,
            format=format.kind or format.name,
        )
    except Unusable as fault:
        said = _salvage(fault.said, keys, instructions)
    except NodeError:
        return counted
    return replace(counted, **dict[str, Any](said))


def _find_shared(drafts: Sequence[Draft], format: Format) -> Parts:
    """What stands before all examples: the system prompt and the functions of chats, where all have the same."""
    found = {format.list_fixed(draft, WHOLE) for draft in drafts}
    return found.pop() if len(found) == 1 else WHOLE


@cache
def make_card_payload(keys: tuple[str, ...], instructions: str) -> ModelPayload[Any, Mapping[str, str]]:
    """The payload of step `card`: these fields of the card, none of them a bare word, a copy or an echo."""
    # A trailing underscore, since a field of pydantic must not be called `register`.
    shape = create_model(
        "TaskDescription",
        __base__=ReplyModel,
        **{f"{key}_": (str, _field(key)) for key in keys},  # type: ignore[call-overload]
    )
    return ModelPayload("task_card", shape, partial(_convert, instructions=instructions))


def _field(key: str) -> Any:
    return Field(alias=key, default="") if key in _MAY_BE_EMPTY else Field(alias=key)


def _convert(reply: ReplyModel, instructions: str) -> Mapping[str, str]:
    values = _clean(reply.model_dump(by_alias=True), instructions)
    if faults := _find_faults(values, instructions):
        raise ValueError(" ".join(f"`{name}` {problem}" for name, problem in faults.items()))
    return values


def _salvage(said: str, keys: Sequence[str], instructions: str) -> Mapping[str, str]:
    """The good fields of an answer that was refused twice."""
    try:
        reply = parse_json(said)
    except Unusable:
        return {}
    found = reply if isinstance(reply, dict) else {}
    values = _clean({key: str(found[key]) for key in keys if isinstance(found.get(key), str)}, instructions)
    faults = _find_faults(values, instructions)
    return {name: value for name, value in values.items() if name not in faults}


def _clean(values: Mapping[str, str], instructions: str) -> dict[str, str]:
    """Each field in the form in which prompts use it."""
    cleaned = {name: join_lines(value) for name, value in values.items()}
    for name in _MAY_BE_EMPTY:
        if cleaned.get(name, "").strip(".").casefold() in _NOTHING:
            cleaned[name] = ""
    source = cleaned.get("source", "")
    for lead_in in _LEAD_INS:
        if f"{source.casefold()} ".startswith(lead_in):
            source = source[len(lead_in) :].lstrip()
    if "source" in cleaned:
        cleaned["source"] = source.strip().removesuffix(".")
    if "language_code" in cleaned:
        code = cleaned["language_code"].casefold()
        cleaned["language_code"] = code if 2 <= len(code) <= 8 else ""
    # The prompt names English, which may well be the language, but no country.
    for name, prompt in (("language", ""), ("locale", instructions)):
        if not _is_name(cleaned.get(name, ""), prompt):
            cleaned[name] = ""
    # A country is written with a capital; "en" is none, and neither is the language again.
    if cleaned.get("locale") and (
        cleaned["locale"].islower() or cleaned["locale"] == cleaned.get("language")
    ):
        cleaned["locale"] = ""
    return {name: value for name, value in cleaned.items() if name in values}


def _is_name(value: str, prompt: str) -> bool:
    """True unless it is a whole sentence, a key (`answer_form`) or a word of the prompt ("country")."""
    asked = re.search(rf"\b{re.escape(value.casefold())}\b", prompt.casefold()) if value else None
    return len(value.split()) <= _LONGEST_NAME and "_" not in value and not asked


def _find_faults(values: Mapping[str, str], instructions: str) -> dict[str, str]:
    """What is wrong with each field that is no good, as the model is told."""
    sentences = {name: values[name] for name in _SENTENCES if name in values}
    faults = find_field_faults(sentences, instructions)
    return {name: problem for name, problem in faults.items() if values[name] or name not in _MAY_BE_EMPTY}
