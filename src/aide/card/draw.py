"""The half of the task card that is described: one call says from examples what the task is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydantic import Field

from aide.card.demos import make_demonstration
from aide.errors import NodeError
from aide.formats import FORMATS, Demonstration, TaskCard
from aide.llm.usage import estimate_tokens
from aide.parsing import ModelPayload, ReplyModel
from aide.records import WHOLE, Ask, Draft

MAX_OUTPUT: Final = 700  # tokens: six short fields, with room for what a model thinks aloud
# Enough to show what all examples have in common, and a prompt that a small model still reads.
_EXAMPLES: Final = 8
_TOKENS: Final = 3000


class CardDescription(ReplyModel):
    """What the model says of a task."""

    task: str = Field(min_length=1)
    language: str = Field(min_length=1)
    language_code: str
    locale: str
    answer_form: str
    register_: str = Field(alias="register")


CARD_PAYLOAD: Final = ModelPayload[CardDescription, CardDescription](
    "task_card", CardDescription, lambda said: said
)


async def describe_card(ask: Ask, drafts: Sequence[Draft], counted: TaskCard, sentence: str = "") -> TaskCard:
    """The whole card: what was counted, and what one call says of the examples.

    Where nothing usable comes back the card stays as counted, with the person's sentence for its task.

    Raises:
        errors.AideError: of scope `run`.
    """
    try:
        said = await ask(
            "card",
            CARD_PAYLOAD,
            template="card",
            max_output=MAX_OUTPUT,
            parts=WHOLE,
            examples=_examples(drafts, counted),
            task=sentence,
            format=counted.format,
        )
    except NodeError:  # a run can do without: the examples in each prompt show what the task is
        return replace(counted, task=sentence or counted.task)
    code = said.language_code.casefold()
    return replace(
        counted,
        task=said.task,
        language=said.language,
        language_code=code if 2 <= len(code) <= 8 else "",  # `de` to `zh-hant`; a sentence is no code
        locale=said.locale,
        answer_form=said.answer_form,
        register=said.register_,
    )


def _examples(drafts: Sequence[Draft], counted: TaskCard) -> list[Demonstration]:
    """The first examples that fit together; of a single one that is too long, its beginning."""
    format = FORMATS[counted.format]
    shown: list[Demonstration] = []
    left = _TOKENS
    for draft in drafts:
        example = make_demonstration(draft, format)
        size = estimate_tokens(example.input) + estimate_tokens(example.answer)
        if size <= left and len(shown) < _EXAMPLES:
            shown.append(example)
            left -= size
    if shown or not drafts:
        return shown
    return [Demonstration(drafts[0].input[: 2 * _TOKENS], format.render(drafts[0])[:_TOKENS])]
