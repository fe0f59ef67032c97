"""An answer that is checked before a judge sees it, cheap checks first.

Equations are recomputed by code, a solution is run against its tests, and further answers, from another model
where one is configured for the step `check`, have to agree with the first.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from aide.errors import NodeError, Rejection
from aide.formats import Format, Question, TaskCard
from aide.records import Ask, Correction, Draft, Payload
from aide.sandbox.isolation import SandboxResult
from aide.verify.agreement import USUAL, Quorum, Vote, VoteTally, collect_votes, compute_label_shares
from aide.verify.arithmetic import describe_miscalculation
from aide.verify.queries import QueryRunner, check_query, find_schema

SHARES: Final = "label_shares"
"""The name of the vote shares among a record's scores."""

T = TypeVar("T")
TestRunner = Callable[[str, Sequence[str]], Awaitable[SandboxResult]]


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """An answer that passed, and what is kept of the checks with its record."""

    draft: Draft
    scores: Mapping[str, Any] = field(default_factory=dict)
    votes: tuple[str, ...] = ()
    """The labels that were voted for, of formats with a fixed set of labels."""

    def with_vote(self, label: str) -> "CheckedAnswer":
        """The same after one vote more, where there was a vote; its label shares follow."""
        if not self.votes or not label:
            return self
        votes = (*self.votes, label)
        return replace(self, votes=votes, scores={**self.scores, SHARES: compute_label_shares(votes)})


class AnswerChecks:
    """The answer step of a task.

    `quorum` is how many answers must agree; without it one is enough. It is held at once where it is `eager`, else only
    where the judge differs, whose own answer is a vote. `run` runs a solution against its tests; without it no code is
    run, and a record says that its tests are unverified. `query` runs SQL in the same way.
    """

    def __init__(
        self,
        format: Format,
        card: TaskCard,
        quorum: Quorum | None = None,
        run: TestRunner | None = None,
        *,
        eager: bool = True,
        query: QueryRunner | None = None,
    ) -> None:
        self.format = format
        self.card = card
        self.quorum = quorum
        self.eager = eager
        self.run = run
        self.query = query

    async def answer(self, ask: Ask, question: Question, first: Draft | None = None) -> CheckedAnswer:
        """The question with an answer that passed every check there is for its format.

        `first` is an answer that came together with the question, which then need not be asked for.

        Raises:
            errors.Rejection: step `answer`; besides the format's own reasons `wrong_arithmetic`,
            `no_agreement`, `tests_failed`, `query_failed`.
            errors.NodeError: where the model gave nothing usable.
        """
        draft = await self._answer(ask, question, first)
        if draft.tests:
            return await self._run_tests(ask, question, draft)
        if self.format.runs_queries(self.card):
            return await self._run_query(ask, question, draft)
        if self.quorum is None or not self.eager:
            return CheckedAnswer(draft)
        own = Vote(self.format.extract_final_answer(draft, self.card), draft)
        return self._take_winner(await self._hold_vote(ask, question, [own], self.quorum))

    async def decide(
        self, ask: Ask, question: Question, found: CheckedAnswer, own_answer: str
    ) -> CheckedAnswer:
        """Further answers to a question on which the record and the judge differ, until enough agree with one of them.

        Raises:
            errors.Rejection: step `answer`, reason `no_agreement`.
        """
        quorum = self.quorum or USUAL
        votes = [
            Vote(self.format.extract_final_answer(found.draft, self.card), found.draft),
            Vote(own_answer),
        ]
        if "agreement" in found.scores:  # its answer has stood a vote of its own
            raise Rejection(
                "answer", "no_agreement", f"{found.scores['agreement']} agreed, and the judge does not"
            )
        decided = self._take_winner(await self._hold_vote(ask, question, votes, quorum))
        return replace(decided, scores={**found.scores, **decided.scores})

    def _take_winner(self, tally: VoteTally) -> CheckedAnswer:
        if tally.winner is None:
            said = ", ".join(answer[:80] or "nothing" for answer in tally.votes)
            raise Rejection("answer", "no_agreement", f"{tally.share} agreed: {said}")
        if not self.format.labelled:
            return CheckedAnswer(tally.winner, {"agreement": tally.share})
        scores = {"agreement": tally.share, SHARES: compute_label_shares(tally.votes)}
        return CheckedAnswer(tally.winner, scores, tally.votes)

    async def _answer(self, ask: Ask, question: Question, first: Draft | None) -> Draft:
        """An answer whose equations hold; a wrong one means answering once more."""
        draft = first or await self.format.answer(ask, self.card, question)
        if not (fault := self._find_miscalculation(draft)):
            return draft
        # Shown its mistake a model mends it as a rule; one that makes two does not know how to calculate this.
        again = Correction(self.format.render(draft), fault)
        draft = await self.format.answer(ask, self.card, replace(question, correction=again))
        if fault := self._find_miscalculation(draft):
            raise Rejection("answer", "wrong_arithmetic", fault)
        return draft

    def _find_miscalculation(self, draft: Draft) -> str:
        return describe_miscalculation(draft.reasoning or draft.output) if self.format.worked else ""

    async def _hold_vote(
        self, ask: Ask, question: Question, votes: Sequence[Vote], quorum: Quorum
    ) -> VoteTally:
        """`votes` are there already, the first of them with the draft that the question came with."""
        format, card, check = self.format, self.card, rename_step("check", ask)
        first = votes[0].draft
        assert first is not None

        async def draw(number: int) -> Vote:
            try:
                draft = await format.answer_again(check, card, replace(question, draw=number), first)
            except NodeError:
                return Vote("")  # paid for, and of no use: it agrees with nothing
            answer = "" if self._find_miscalculation(draft) else format.extract_final_answer(draft, card)
            # Label and options were fixed before: another choice among them is a doubt, not a better answer.
            return Vote(answer, None if format.labelled or draft.choices else draft)

        return await collect_votes(votes, draw, quorum, format.compare)

    async def _run_tests(self, ask: Ask, question: Question, draft: Draft) -> CheckedAnswer:
        """Tests and solution are written without sight of each other, and kept where they agree."""
        if self.run is None:
            return CheckedAnswer(draft, {"tests": "unverified"})
        result = await self.run(draft.output, draft.tests)
        if not result.passed:
            # Either half may be at fault, so both are written anew; a second failure is the question's.
            draft = await self.format.answer(ask, self.card, replace(question, draw=1))
            result = await self.run(draft.output, draft.tests)
        if not result.passed:
            raise Rejection("answer", "tests_failed", result.problem)
        return CheckedAnswer(draft, {"tests": "passed"})

    async def _run_query(self, ask: Ask, question: Question, draft: Draft) -> CheckedAnswer:
        """An SQL query over the tables of its schema; without a runner, or without tables, it stays unverified."""
        schema = find_schema(question.parts)
        if self.query is None or not schema:
            return CheckedAnswer(draft, {"query": "unverified"})
        format, card, check = self.format, self.card, rename_step("check", ask)

        async def mend(fault: Correction) -> Draft:
            return await format.answer(ask, card, replace(question, correction=fault))

        async def draw(number: int) -> Draft:
            return await format.answer_again(check, card, replace(question, draw=number), draft)

        found = await check_query(question.input, schema, draft, self.query, self.quorum, mend, draw)
        return CheckedAnswer(found.draft, found.scores)


def rename_step(step: str, ask: Ask) -> Ask:
    """`ask` with answers counted, sampled and served as those of another step, which may have a model of its own."""

    async def renamed(asked: str, payload: Payload[T], /, **how: Any) -> T:
        return await ask(step if asked == "answer" else asked, payload, **how)

    return renamed
