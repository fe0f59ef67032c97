"""Answers in prose: `free_text`, and `open`, a worked solution that ends in a result."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Final

from aide.formats.base import Format
from aide.formats.convention import NUMBER, apply_convention, find_convention, read_final_answer, read_result
from aide.formats.evidence import find_quote, split_evidence
from aide.formats.task import Label, Question, TaskCard
from aide.parsing import TextPayload
from aide.records import Ask, Draft

_LAST_NUMBER: Final = re.compile(r"\d+(?!.*\d)", re.DOTALL)


class FreeText(Format):
    """An answer in the seeds' own way, of which nothing more is known than that it is text."""

    name = "free_text"
    worked = True
    reply = "worked"
    reading = "text"

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """Never by its shape: it is what no other format takes."""
        return False

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The answer's text, and the passage that it quotes."""

        def build(text: str) -> Draft:
            said, evidence = split_evidence(text)
            draft = self.build(said, card)
            return replace(draft, input=question.input, evidence=find_quote(evidence, question.parts))

        # A mark before the result, such as `Answer:`, would else be cleaned off as a label in front of the text.
        mark = card.convention.partition("<")[0].strip()
        reader = TextPayload("answer", (mark,) if mark else ())
        return await self.ask_draft(ask, card, question, reader, build)

    def finish(self, draft: Draft, card: TaskCard, id: str) -> Draft:
        """The answer in the seeds' form, the passage that it quotes taken out of it."""
        said, evidence = split_evidence(draft.output)
        return replace(self.build(said, card), input=draft.input, evidence=evidence)

    def build(self, said: str, card: TaskCard) -> Draft:
        """The draft of a text that a model wrote; its input is filled in later."""
        return Draft("", said)

    def check(self, draft: Draft, card: TaskCard) -> str:
        """There is an output, and no markup of ours in it."""
        if "<evidence>" in draft.output or "</answer>" in draft.output:
            return "Write the answer as plain text, without tags."
        return super().check(draft, card)


class Open(FreeText):
    """A worked solution that ends as those of the seeds do.

    Where the seeds give the bare result (`card.bare`), so does the output, and the working that led to it is kept as
    the draft's reasoning: a model that may not think aloud calculates worse.
    """

    name = "open"
    comparable = True
    reading = "worked"

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """The outputs end in one way with a number in it, or are several lines that end in one way."""
        outputs = [draft.output for draft in drafts]
        convention = find_convention(outputs)
        lines = median(output.count("\n") for output in outputs)
        return NUMBER in convention or (bool(convention) and lines >= 1)

    def start_card(self, drafts: Sequence[Draft], labels: Sequence[Label] = ()) -> TaskCard:
        """How the outputs end, and whether they are nothing but that."""
        outputs = [draft.output.strip() for draft in drafts]
        ending = find_convention(outputs)
        bare = bool(ending) and all(
            "\n" not in each and read_result(each, ending) == each for each in outputs
        )
        return TaskCard(format=self.name, convention=ending, bare=bare)

    def build(self, said: str, card: TaskCard) -> Draft:
        """The solution, its ending brought into the seeds' convention."""
        worked = apply_convention(said, card.convention)
        if card.bare:
            return Draft("", read_result(worked, card.convention), reasoning=worked)
        return Draft("", worked)

    def check(self, draft: Draft, card: TaskCard) -> str:
        """There is an output, and it ends by the convention."""
        if not draft.output.strip() or (card.convention and not read_result(draft.output, card.convention)):
            return f"The last line must give the final result in this form: {card.convention or '<answer>'}"
        return ""

    def render(self, draft: Draft) -> str:
        """The worked solution."""
        return draft.reasoning if draft.reasoning.strip().endswith(draft.output) else draft.output

    def read_own_answer(self, said: str, draft: Draft, card: TaskCard) -> str:
        """The result by the convention or a common marker, else the last number."""
        return read_final_answer(said, card.convention) if said.strip() else ""

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
        return replace(draft, output=wrong, reasoning="", thoughts="")
