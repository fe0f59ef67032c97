"""Answers in prose: `open`, a worked solution with its result, and `free_text`, whatever else is text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from aide.formats.base import DraftPayload, Question, TaskCard, ask_answer
from aide.formats.convention import apply_convention, find_convention, read_result
from aide.formats.evidence import find_quote, split_evidence
from aide.parsing import TextPayload
from aide.records import Ask, Draft


@dataclass(frozen=True, slots=True)
class Open:
    """A worked solution that ends as those of the seeds do.

    Where the seeds give the bare result (`card.bare`), so does the output, and the working that led to it is
    kept as the draft's reasoning.
    """

    name: str = "open"
    labelled: bool = False

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """The outputs end in one way with a number in it, or are several lines that end in one way."""
        outputs = [draft.output for draft in drafts]
        convention = find_convention(outputs)
        return "<number>" in convention or (
            bool(convention) and median(output.count("\n") for output in outputs) >= 1
        )

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


@dataclass(frozen=True, slots=True)
class FreeText:
    """An answer in the seeds' own way, of which nothing more is known than that it is text."""

    name: str = "free_text"
    labelled: bool = False

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """Whatever has outputs."""
        return all(draft.output for draft in drafts)

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The answer's text."""

        def build(text: str) -> Draft:
            said, evidence = split_evidence(text)
            return Draft(question.input, said, evidence=find_quote(evidence, question.parts))

        return await _ask_text(self, ask, card, question, build)

    def check(self, draft: Draft, card: TaskCard) -> str:
        """There is an output, and no markup of ours in it."""
        if not draft.output.strip():
            return "The answer is empty; write the answer itself."
        if "<evidence>" in draft.output or "</answer>" in draft.output:
            return "Write the answer as plain text, without tags."
        return ""

    def render(self, draft: Draft) -> str:
        """The output."""
        return draft.output


async def _ask_text(
    format: Open | FreeText,
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
