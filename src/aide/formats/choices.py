"""Multiple choice: one right option and several wrong ones, in an order that says nothing."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from pydantic import Field, create_model

from aide.errors import Rejection
from aide.formats.base import Format, ask_answer
from aide.formats.labels import make_label_payload
from aide.formats.payloads import ThoughtsPayload
from aide.formats.task import Label, Question, TaskCard
from aide.parsing import ModelPayload, ReplyModel
from aide.records import Ask, Draft, rng

NONE: Final = "none of these"
"""The last option of a blind look, for a question whose options are all wrong, or more than one right."""

Options = tuple[str, tuple[str, ...]]

_LETTER: Final = re.compile(r"\A\(?([A-Za-z]|\d{1,2})[).:]\s+")


class _Options(ReplyModel):
    correct: str = Field(min_length=1)
    wrong: list[str]


@lru_cache(maxsize=16)
def make_options_payload(wrong: int) -> ModelPayload[_Options, Options]:
    """The right option and exactly `wrong` others."""
    model = create_model(
        "_Options", __base__=_Options, wrong=(list[str], Field(min_length=wrong, max_length=wrong))
    )
    return ModelPayload("options", model, lambda said: (said.correct, tuple(said.wrong)))


def strip_letters(options: Sequence[str]) -> tuple[str, ...]:
    """Options without their letters; only where all have one, for "I. Newton" or "3. May" is an option as it stands."""
    lettered = all(_LETTER.match(option) for option in options)
    return tuple(_LETTER.sub("", option) for option in options) if lettered else tuple(options)


def make_letter(place: int) -> str:
    """`A` for the first option."""
    return chr(ord("A") + place)


async def choose_option(ask: Ask, draft: Draft, question: Question) -> tuple[str, str]:
    """The option that a blind look at question and shuffled options finds right, or `NONE`, and what was thought.

    Raises:
        errors.NodeError: where the model gave nothing usable.
    """
    options = [*draft.choices]
    rng(question.id, "choose", str(question.draw)).shuffle(options)
    payload = make_label_payload((*draft.choices, NONE), evidence=False)
    labels = [Label(name) for name in (*options, NONE)]
    # The demonstrations show how options are written, which is of no use here and may mislead.
    blind = replace(question, demos=(), label=None)
    (answer, _), thoughts = await ask_answer(
        ask, ThoughtsPayload(payload), blind, template="choose", labels=labels
    )
    return answer, thoughts


class MultipleChoice(Format):
    """One right option among `card.options`."""

    name = "multiple_choice"
    comparable = True
    reply = "options"
    reading = "options"

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """Every example has options, and they are not the same for all."""
        sets = {frozenset(draft.choices) for draft in drafts}
        return all(len(draft.choices) > 1 for draft in drafts) and (len(sets) > 1 or len(drafts) == 1)

    def start_card(self, drafts: Sequence[Draft], labels: Sequence[Label] = ()) -> TaskCard:
        """The commonest number of options."""
        counts = Counter(len(draft.choices) for draft in drafts)
        return TaskCard(format=self.name, options=counts.most_common(1)[0][0])

    def check_card(self, card: TaskCard) -> tuple[str, str] | None:
        """There is something to choose from."""
        return (
            ("options", "a multiple choice question has at least two options") if card.options < 2 else None
        )

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The question with its options, shuffled by the record's own generator."""

        def build(options: Options) -> Draft:
            right, wrong = options
            return self.finish(Draft(question.input, right, (right, *wrong)), card, question.id)

        return await self.ask_draft(ask, card, question, make_options_payload(card.options - 1), build)

    async def answer_again(self, ask: Ask, card: TaskCard, question: Question, draft: Draft) -> Draft:
        """The option of `draft` that a blind look chooses, or `NONE` of them: new options would be another question."""
        said, thoughts = await choose_option(ask, draft, question)
        return replace(draft, output=said, thoughts=thoughts)

    async def think(self, ask: Ask, card: TaskCard, question: Question, draft: Draft) -> Draft:
        """The thoughts of a blind look that chooses the right option: who writes options thinks of what may mislead."""
        again = await self.answer_again(ask, card, question, draft)
        if again.output != draft.output:
            raise Rejection("answer", "no_agreement", f"{draft.output[:80]!r}, then {again.output[:80]!r}")
        return again

    def finish(self, draft: Draft, card: TaskCard, id: str) -> Draft:
        """The options in a drawn order: a model writes the right one first, and then no place may be likelier."""
        choices = strip_letters(draft.choices)
        right = choices[draft.choices.index(draft.output)]
        shuffled = list(choices)
        rng(id, "choices").shuffle(shuffled)
        return replace(draft, output=right, choices=tuple(shuffled))

    def show_to_judge(self, draft: Draft) -> str:
        """The question and its lettered options."""
        return "\n".join([draft.input, *self.list_options(draft)])

    def read_own_answer(self, said: str, draft: Draft, card: TaskCard) -> str:
        """The option of a letter, or of its own text; none where no option is right."""
        letter = said.strip().strip("().:").upper()[:1] if len(said.strip().strip("().:")) == 1 else ""
        place = ord(letter) - ord("A") if letter else -1
        if 0 <= place < len(draft.choices):
            return draft.choices[place]
        bare = _LETTER.sub("", said.strip())
        return bare if bare in draft.choices else ""

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

    def compare(self, one: str, other: str) -> bool:
        """Equal letter by letter: options are copied from a list, and `2/4` may stand there beside `1/2`."""
        return one == other

    def list_options(self, draft: Draft) -> list[str]:
        """`A) …`, `B) …`: one line an option."""
        return [f"{make_letter(place)}) {choice}" for place, choice in enumerate(draft.choices)]

    def render(self, draft: Draft) -> str:
        """The lettered options and, below them, the right one."""
        lines = self.list_options(draft)
        right = lines[draft.choices.index(draft.output)] if draft.output in draft.choices else draft.output
        return "\n".join([*lines, f"Right: {right}"])

    def render_for_training(self, draft: Draft) -> str:
        """The letter of the right option."""
        if not draft.choices:
            return super().render_for_training(draft)
        if draft.choices.count(draft.output) != 1:
            raise ValueError("its output is not exactly one of its choices")
        return make_letter(draft.choices.index(draft.output))
