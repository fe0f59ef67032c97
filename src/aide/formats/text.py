"""Answers in prose: `open`, a worked solution with its result, and `free_text`, whatever else is text."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import Final

from aide.formats.base import DraftPayload, Format, Label, Question, TaskCard, ask_answer
from aide.formats.convention import apply_convention, find_convention, read_final_answer, read_result
from aide.formats.evidence import find_quote, split_evidence
from aide.parsing import TextPayload
from aide.records import Ask, Draft

_LAST_NUMBER: Final = re.compile(r"\d+(?!.*\d)", re.DOTALL)


class Open(Format):
    """A worked solution that ends as those of the seeds do.

    Where the seeds give the bare result (`card.bare`), so does the output, and the working that led to it is
    kept as the draft's reasoning.
    """

    name = "open"
    worked = True
    comparable = True

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """The outputs end in one way with a number in it, or are several lines that end in one way."""
        outputs = [draft.output for draft in drafts]
        convention = find_convention(outputs)
        return "<number>" in convention or (
            bool(convention) and median(output.count("\n") for output in outputs) >= 1
        )

    def start_card(self, drafts: Sequence[Draft], labels: Sequence[Label] = ()) -> TaskCard:
        """How the outputs end, and whether they are nothing but that."""
        outputs = [draft.output for draft in drafts]
        ending = find_convention(outputs)
        bare = bool(ending) and all(
            "\n" not in output.strip() and read_result(output, ending) == output.strip() for output in outputs
        )
        return TaskCard(format=self.name, convention=ending, bare=bare)

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """A worked solution, its ending brought into the seeds' convention."""

        def build(text: str) -> Draft:
            worked, evidence = split_evidence(text)
            worked = apply_convention(worked, card.convention)
            quote = find_quote(evidence, question.parts)
            if not card.bare:
                return Draft(question.input, worked, evidence=quote)
            return Draft(
                question.input, read_result(worked, card.convention), reasoning=worked, evidence=quote
            )

        return await _ask_text(self, ask, card, question, build)

    def check(self, draft: Draft, card: TaskCard) -> str:
        """There is an output, and it ends by the convention."""
        if not draft.output.strip() or (card.convention and not read_result(draft.output, card.convention)):
            return f"The last line must give the final result in this form: {card.convention or '<answer>'}"
        return ""

    def render(self, draft: Draft) -> str:
        """The worked solution."""
        return draft.reasoning if draft.reasoning.strip().endswith(draft.output) else draft.output

    def extract_final_answer(self, draft: Draft, card: TaskCard) -> str:
        """The result by the convention or a common marker, else the last number."""
        return read_final_answer(draft.output, card.convention)

    def make_wrong(
        self, draft: Draft, card: TaskCard, others: Sequence[str], dice: random.Random
    ) -> Draft | None:
        """The same solution with another last number, a few more: as near to right as a slip would be."""
        number = None if draft.choices else _LAST_NUMBER.search(draft.output)
        if number is None:
            return super().make_wrong(draft, card, others, dice)
        changed = str(int(number[0]) + dice.randint(2, 9)).zfill(len(number[0]))
        wrong = f"{draft.output[: number.start()]}{changed}{draft.output[number.end() :]}"
        return replace(draft, output=wrong, reasoning="")


class FreeText(Format):
    """An answer in the seeds' own way, of which nothing more is known than that it is text."""

    name = "free_text"
    worked = True

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """Never by its shape: it is what no other format takes."""
        return False

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The answer's text."""

        def build(text: str) -> Draft:
            said, evidence = split_evidence(text)
            return Draft(question.input, said, evidence=find_quote(evidence, question.parts))

        return await _ask_text(self, ask, card, question, build)

    def check(self, draft: Draft, card: TaskCard) -> str:
        """There is an output, and no markup of ours in it."""
        if "<evidence>" in draft.output or "</answer>" in draft.output:
            return "Write the answer as plain text, without tags."
        return super().check(draft, card)


async def _ask_text(
    format: Format,
    ask: Ask,
    card: TaskCard,
    question: Question,
    build: Callable[[str], Draft],
) -> Draft:
    kept = card.convention.partition("<")[0].strip()
    payload = DraftPayload(
        TextPayload("answer", (kept,) if kept else ()), build, lambda draft: format.check(draft, card)
    )
    return await ask_answer(ask, payload, question, template=format.name)
