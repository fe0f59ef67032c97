"""An answer that is checked before a judge sees it, cheap checks first.

Equations are recomputed by code, a solution is run against its tests, and further answers, from another model
where one is configured for the step `check`, have to agree with the first.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from aide.errors import NodeError, Rejection
from aide.formats import Format, Label, Question, TaskCard
from aide.formats.base import ask_answer
from aide.formats.labels import make_label_payload
from aide.records import Ask, Correction, Draft, Payload, rng
from aide.sandbox.isolation import SandboxResult
from aide.verify.agreement import Quorum, Vote, VoteTally, collect_votes, extract_final_answer
from aide.verify.arithmetic import describe_miscalculation

T = TypeVar("T")
Runner = Callable[[str, Sequence[str]], Awaitable[SandboxResult]]

NONE: Final = "none of these"
_WORKED: Final = ("open", "free_text")
_SOLUTIONS: Final = 2


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """An answer that passed, and what is kept of the checks with its record."""

    draft: Draft
    scores: Mapping[str, Any] = field(default_factory=dict)


class AnswerChecks:
    """The answer step of a task. `run` runs a solution against its tests; without it no code is run."""

    def __init__(
        self, format: Format, card: TaskCard, quorum: Quorum | None = None, run: Runner | None = None
    ) -> None:
        self.format = format
        self.card = card
        self.quorum = quorum
        self.run = run

    async def answer(self, ask: Ask, question: Question, first: Draft | None = None) -> CheckedAnswer:
        """The question with an answer that passed every check there is for its format.

        `first` is an answer that came together with the question, which then need not be asked for.

        Raises:
            errors.Rejection: step `answer`; besides the format's own reasons `wrong_arithmetic`,
            `no_agreement`, `tests_failed`.
            errors.NodeError: where the model gave nothing usable.
        """
        draft = await self._computed(ask, question, first)
        if draft.tests:
            return await self._tested(ask, question, draft)
        if self.quorum is None:
            return CheckedAnswer(draft)
        tally = await self._agreed(ask, question, draft, self.quorum)
        if tally.winner is None:
            said = ", ".join(answer[:80] or "nothing" for answer in tally.votes)
            raise Rejection("answer", "no_agreement", f"{tally.share} agreed: {said}")
        return CheckedAnswer(tally.winner, {"agreement": tally.share})

    # --- equations ----------------------------------------------------------------------------------

    async def _computed(self, ask: Ask, question: Question, first: Draft | None) -> Draft:
        """An answer whose equations hold; a wrong one means answering once more."""
        draft = first or await self.format.answer(ask, self.card, question)
        if not (fault := self._miscalculated(draft)):
            return draft
        again = Correction(self.format.render(draft), fault)
        draft = await self.format.answer(ask, self.card, replace(question, correction=again))
        if fault := self._miscalculated(draft):
            raise Rejection("answer", "wrong_arithmetic", fault)
        return draft

    def _miscalculated(self, draft: Draft) -> str:
        return describe_miscalculation(draft.reasoning or draft.output) if self.format.name in _WORKED else ""

    # --- agreement ----------------------------------------------------------------------------------

    async def _agreed(self, ask: Ask, question: Question, first: Draft, quorum: Quorum) -> VoteTally:
        check, blind = rename_step("check", ask), replace(question, label=None, correction=None)

        async def draw(number: int) -> Vote:
            try:
                if self.format.name == "multiple_choice":
                    return Vote(await choose_option(check, first, question, number))
                draft = await self.format.answer(check, self.card, replace(blind, draw=number))
            except NodeError:
                return Vote("")  # paid for, and of no use: it agrees with nothing
            answer = "" if self._miscalculated(draft) else extract_final_answer(draft, self.card)
            # A label that was meant for the input stays: only its own answer may stand for the record.
            return Vote(answer, None if self.format.labelled else draft)

        return await collect_votes(Vote(extract_final_answer(first, self.card), first), draw, quorum)

    # --- code ---------------------------------------------------------------------------------------

    async def _tested(self, ask: Ask, question: Question, draft: Draft) -> CheckedAnswer:
        """Tests and solution, written without sight of each other, are kept where they agree."""
        if self.run is None:
            return CheckedAnswer(draft, {"tests": "unverified"})
        for further in range(1, _SOLUTIONS + 1):
            ran = await self.run(draft.output, draft.tests)
            if ran.passed:
                return CheckedAnswer(draft, {"tests": "passed"})
            if further < _SOLUTIONS:
                draft = await self.format.answer(ask, self.card, replace(question, draw=further))
        raise Rejection("answer", "tests_failed", ran.told)


async def choose_option(ask: Ask, draft: Draft, question: Question, draw: int = 0) -> str:
    """The option that a blind look at question and shuffled options finds right, or `NONE`.

    Raises:
        errors.NodeError: where the model gave nothing usable.
    """
    options = [*draft.choices]
    rng(question.id, "choose", str(draw)).shuffle(options)
    names = (*options, NONE)
    payload = make_label_payload((*draft.choices, NONE), evidence=False)
    labels = [Label(name) for name in names]
    # The demonstrations show how options are written, which is of no use here and may mislead.
    blind = replace(question, demos=(), label=None, draw=draw)
    answer, _ = await ask_answer(ask, payload, blind, template="choose", labels=labels)
    return answer


def rename_step(step: str, ask: Ask) -> Ask:
    """`ask` with its answers booked, sampled and served as another step."""

    async def renamed(asked: str, payload: Payload[T], /, **how: Any) -> T:
        return await ask(step if asked == "answer" else asked, payload, **how)

    return renamed
