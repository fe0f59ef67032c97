"""Multiple choice: one right option and several wrong ones, in an order that says nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pydantic import Field, create_model

from aide.formats.base import DraftPayload, Question, TaskCard, ask_answer
from aide.parsing import ModelPayload, ReplyModel
from aide.records import Ask, Draft, rng

Options = tuple[str, tuple[str, ...]]

_LETTER: Final = re.compile(r"\A\(?([A-Za-z]|\d{1,2})[).:]\s+")


class _Options(ReplyModel):
    correct: str = Field(min_length=1)
    wrong: list[str]


@lru_cache(maxsize=16)
def make_options_payload(wrong: int) -> ModelPayload[_Options, Options]:
    """The right option and exactly `wrong` others, their letters taken off."""
    model = create_model(
        "_Options", __base__=_Options, wrong=(list[str], Field(min_length=wrong, max_length=wrong))
    )
    return ModelPayload("options", model, _bare)


def _bare(said: _Options) -> Options:
    options = [said.correct, *said.wrong]
    if all(_LETTER.match(option) for option in options):
        options = [_LETTER.sub("", option) for option in options]
    return options[0], tuple(options[1:])


def add_letters(choices: Sequence[str]) -> list[str]:
    """`A) …`, `B) …`: one line an option."""
    return [f"{chr(65 + place)}) {choice}" for place, choice in enumerate(choices)]


@dataclass(frozen=True, slots=True)
class MultipleChoice:
    """One right option among `card.options`."""

    name: str = "multiple_choice"
    labelled: bool = False

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """Every example has options, and they are not the same for all."""
        sets = {frozenset(draft.choices) for draft in drafts}
        return all(len(draft.choices) > 1 for draft in drafts) and (len(sets) > 1 or len(drafts) == 1)

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The question with its options, shuffled by the record's own generator."""

        def build(options: Options) -> Draft:
            right, wrong = options
            choices = [right, *wrong]
            rng(question.id, "choices").shuffle(choices)
            return Draft(question.input, right, tuple(choices))

        payload = DraftPayload(
            make_options_payload(card.options - 1), build, lambda draft: self.check(draft, card)
        )
        return await ask_answer(ask, payload, question, template=self.name)

    def check(self, draft: Draft, card: TaskCard) -> str:
        """As many options as the seeds have, all distinct and none empty, exactly one of them the output."""
        folded = [" ".join(choice.casefold().split()) for choice in draft.choices]
        if len(folded) != card.options:
            return f"There must be exactly {card.options} options, one right and {card.options - 1} wrong."
        if not all(folded):
            return "No option may be empty."
        if len(set(folded)) < len(folded):
            return "Two options are the same; all must be different."
        if draft.choices.count(draft.output) != 1:
            return "Exactly one of the options must be the right one."
        return ""

    def render(self, draft: Draft) -> str:
        """The lettered options and, below them, the right one."""
        lines = add_letters(draft.choices)
        right = draft.choices.index(draft.output) if draft.output in draft.choices else -1
        return "\n".join([*lines, f"Right: {lines[right] if right >= 0 else draft.output}"])
